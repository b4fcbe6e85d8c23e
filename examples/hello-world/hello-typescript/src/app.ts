import { greet, type Greeting } from './greet';

interface Request {
  name?: string;
}

export const handler = async (event: Request): Promise<Greeting> => greet(process.env.GREETING ?? 'Hello', event.name ?? 'TypeScript');

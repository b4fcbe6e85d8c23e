import { titleCase } from 'title-case';

export interface Greeting {
  greeting: string;
}

export function greet(greeting: string, name: string): Greeting {
  return { greeting: titleCase(`${greeting} from ${name}.`) };
}

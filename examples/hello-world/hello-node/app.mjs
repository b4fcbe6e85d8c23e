import ms from 'ms';

export const handler = async (event, context) => ({
  statusCode: 200,
  body: `${process.env.GREETING} from Node.js, ${ms(context.getRemainingTimeInMillis())} left.`,
});

import { type ExecutionResult, type GraphQLError } from 'graphql';
import { type Logger } from '../observability/logger';
import { type ErrorAnswer, maskError } from './error-answers';
import { type ApiMeters } from './meters';
import { withCode } from './operations';

/** What is answered over WebSocket and server-sent events: as over HTTP. */
export interface StreamAnswers {
  errors(errors: readonly GraphQLError[], requestId: string): ErrorAnswer[];
  result(result: ExecutionResult, requestId: string): ExecutionResult;
}

export function createStreamAnswers(options: { meters: ApiMeters; logger: Logger }): StreamAnswers {
  const { meters, logger } = options;
  const answers: StreamAnswers = {
    errors: (errors, requestId) =>
      errors.map((error) => {
        const answer = maskError(error, requestId, logger);
        meters.errors.inc({ code: answer.extensions.code });
        return answer;
      }),
    result({ errors, ...result }, requestId) {
      if (errors === undefined) return result;
      // Without data nothing was resolved: the variables did not fit.
      const coded =
        result.data === undefined ? errors.map((error) => withCode(error, 'BAD_USER_INPUT')) : errors;
      return { ...result, errors: answers.errors(coded, requestId) as never };
    },
  };
  return answers;
}

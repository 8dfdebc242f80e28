import { refusal, type Reply } from '../reply';
import { compile } from './evaluate';
import { parseCondition } from './parser';
import { QueryProblem } from './syntax';

/** A patch's condition, `FROM c WHERE ...`, as a test of a document, or the refusal. */
export function compileCondition(text: string): { holds: (document: unknown) => boolean } | Reply {
  try {
    const evaluate = compile(parseCondition(text), new Map());
    return { holds: (document) => evaluate(document) === true };
  } catch (error) {
    if (error instanceof QueryProblem) return refusal(400, error.message);
    throw error;
  }
}

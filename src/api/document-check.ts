import { setImmediate as turn } from 'node:timers/promises';
import { type DocumentNode, GraphQLError, Kind, parse, specifiedRules, validate } from 'graphql';
import { type DocumentCheck, type DocumentProblem } from '../resolvers/document/document-check';
import { type Admission } from './admission';
import { payerOf, takeCost } from './cost';
import { type DocumentLimits, excessOf } from './limits';
import { type RequestedDocuments } from './requested-documents';
import { type Throttle } from './throttle';

/** One who registers a whole build has less time of the process for each text than one who sends it to be executed. */
const CHARACTERS_FOR_ONE = 25;
/** Of one document. */
const MAXIMUM_PROBLEMS = 5;

/** Finds what is wrong with documents before they are registered, one at a time, so that others get their turns. */
export function createDocumentCheck({
  limits,
  admission,
  throttle,
  requested,
}: {
  limits: DocumentLimits;
  admission: Pick<Admission, 'knows' | 'remember'>;
  throttle: Throttle;
  requested: Pick<RequestedDocuments, 'forget'>;
}): DocumentCheck {
  return {
    async problemsOf(schema, scope, texts) {
      const unknown = texts.filter((text) => !admission.knows(text));
      const characters = unknown.reduce((sum, { length }) => sum + length, 0);
      if (characters > 0) takeCost(throttle, payerOf(scope), Math.ceil(characters / CHARACTERS_FOR_ONE));
      const problems: DocumentProblem[][] = [];
      for (const text of texts) {
        if (admission.knows(text)) {
          problems.push([]);
          continue;
        }
        await turn();
        const found = problemsIn(text);
        if (found.length === 0) admission.remember(text);
        problems.push(found);
      }
      return problems;

      function problemsIn(text: string): DocumentProblem[] {
        let document: DocumentNode;
        try {
          document = parse(text, { maxTokens: limits.tokens });
        } catch (error) {
          return [problemOf(error as GraphQLError)];
        }
        const excess = excessOf(document, limits);
        if (excess !== null) return [problemOf(excess)];
        if (!document.definitions.some(({ kind }) => kind === Kind.OPERATION_DEFINITION)) {
          return [problemOf(new GraphQLError('the document holds no operation'))];
        }
        return validate(schema, document, specifiedRules, { maxErrors: MAXIMUM_PROBLEMS }).map(problemOf);
      }
    },
    registered: (tenantId, ids) => requested.forget(tenantId, ids),
  };
}

function problemOf({ message, locations }: GraphQLError): DocumentProblem {
  const [{ line, column } = { line: null, column: null }] = locations ?? [];
  return { message, line, column };
}

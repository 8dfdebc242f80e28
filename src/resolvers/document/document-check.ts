import { type GraphQLSchema } from 'graphql';
import { type TenantScope } from '../../auth/scope';

/** What is wrong at one place of a document; without a place it is the document as a whole. */
export interface DocumentProblem {
  message: string;
  /** From 1, as GraphQL counts. */
  line: number | null;
  column: number | null;
}

export interface DocumentCheck {
  /**
   * For each text what the schema and the limits have against it; none where it would be executed. Whoever asks pays for
   * texts that this process has not seen.
   * @throws RATE_LIMITED, DOCUMENT_TOO_COMPLEX.
   */
  problemsOf(
    schema: GraphQLSchema,
    scope: TenantScope,
    texts: readonly string[],
  ): Promise<DocumentProblem[][]>;
  /** They can be asked for at once here, however lately somebody asked in vain. */
  registered(tenantId: string, documentIds: readonly string[]): void;
}

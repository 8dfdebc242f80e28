import { createUnionType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { type TrustedDocumentDocument } from '../../store/trusted-documents/documents';
import {
  MAXIMUM_REGISTERED,
  MAXIMUM_TRUSTED_DOCUMENTS,
} from '../../store/trusted-documents/trusted-documents';
import { connectionType } from '../connection';
import { Visible } from '../rule';
import { DateTime } from '../scalars';
import { USER_ERROR_TYPES, UserError } from '../user-error.type';
import { type DocumentProblem } from './document-check';

const DOCUMENT_ID =
  '`sha256:` and the SHA-256 of the document’s exact text in UTF-8, as 64 lower-case hex digits (GraphQL over HTTP, appendix A).';
const CLIENT =
  'The name of the client that it is built into, e.g. `dashboard` or `app 4.2`; 1 to 200 characters.';

@ObjectType({
  description:
    'A GraphQL document that a client of the tenant was built with. Requests name it by `documentId` in place of its text. It gives nobody a right: what it answers follows from who asks.',
})
export class TrustedDocument {
  @Visible('with-parent')
  @Field({ description: DOCUMENT_ID })
  documentId!: string;

  @Visible('with-parent')
  @Field({ description: 'The document itself. It is never changed.' })
  text!: string;

  @Visible('with-parent')
  @Field(() => [String], {
    description: 'The clients that it is registered for, in the order of their names.',
  })
  clients!: string[];

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When it was first registered.' })
  registeredAt!: Date;

  @Visible('with-parent')
  @Field({ description: 'The id of the person, or of the API key, that first registered it.' })
  registeredBy!: string;

  static of({ id, text, clients, registeredAt, registeredBy }: TrustedDocumentDocument): TrustedDocument {
    const at = new Date(registeredAt);
    return Object.assign(new TrustedDocument(), {
      documentId: id,
      text,
      clients,
      registeredAt: at,
      registeredBy,
    });
  }
}

export const TrustedDocumentConnection = connectionType(
  TrustedDocument,
  'TrustedDocument',
  'documents of a tenant’s clients',
);

@InputType({ description: 'A document that a client is built with.' })
export class TrustedDocumentInput {
  @Field({ description: DOCUMENT_ID })
  documentId!: string;

  @Field({ description: 'The document itself: at least one operation, with the fragments that it uses.' })
  text!: string;
}

@InputType({ description: 'Documents of one client of a tenant.' })
export class RegisterDocumentsInput {
  @Field(() => ID, { description: 'The tenant. The documents can be asked for by those who belong to it.' })
  tenantId!: string;

  @Field({ description: CLIENT })
  client!: string;

  @Field(() => [TrustedDocumentInput], {
    description: `The documents: 1 to ${MAXIMUM_REGISTERED} a call, 1 MiB together; at most ${MAXIMUM_TRUSTED_DOCUMENTS} of a tenant.`,
  })
  documents!: TrustedDocumentInput[];

  @Field({
    description:
      'Of your choice, 1 to 200 characters: the same call with the same key, within 24 hours, has no second effect.',
  })
  idempotencyKey!: string;
}

@InputType({ description: 'Documents that one client of a tenant asks for no more.' })
export class RetireDocumentsInput {
  @Field(() => ID, { description: 'The tenant.' })
  tenantId!: string;

  @Field({ description: CLIENT })
  client!: string;

  @Field(() => [String], { description: `Ids of documents, 1 to ${MAXIMUM_REGISTERED} a call.` })
  documentIds!: string[];
}

@ObjectType({ description: 'The documents can be asked for by their ids.' })
export class RegisterDocumentsSuccess {
  @Visible('with-parent')
  @Field(() => [TrustedDocument], { description: 'The documents, in the order of the input.' })
  documents!: TrustedDocument[];
}

@ObjectType({
  description:
    'The documents are the client’s no more; one that is no client’s is answered for another minute at most.',
})
export class RetireDocumentsSuccess {
  @Visible('with-parent')
  @Field(() => [String], { description: 'The ids of those that were the client’s until now.' })
  documentIds!: string[];
}

@ObjectType({ description: 'What is wrong with a document that was to be registered.' })
export class InvalidDocument {
  @Visible('public')
  @Field({ description: 'Its id in the input.' })
  documentId!: string;

  @Visible('public')
  @Field(() => Int, { description: 'Its place in the input, from 0.' })
  index!: number;

  @Visible('public')
  @Field({ description: 'What is wrong, for people, in English.' })
  message!: string;

  @Visible('public')
  @Field(() => Int, {
    nullable: true,
    description: 'The line of its text, from 1; null where it is the document as a whole.',
  })
  line!: number | null;

  @Visible('public')
  @Field(() => Int, { nullable: true, description: 'The column of that line, from 1; null as `line` is.' })
  column!: number | null;

  static of(documentId: string, index: number, problem: DocumentProblem): InvalidDocument {
    return Object.assign(new InvalidDocument(), { documentId, index, ...problem });
  }
}

@ObjectType({
  implements: UserError,
  description:
    'Some of the documents do not fit the schema, or ask for more than one may: none was registered.',
})
export class InvalidDocumentsError extends UserError {
  @Visible('public')
  @Field(() => [InvalidDocument], { description: 'What is wrong, document by document; the first hundred.' })
  problems!: InvalidDocument[];
}

export const RegisterDocumentsResult = createUnionType({
  name: 'RegisterDocumentsResult',
  description: 'The documents, or why none was registered.',
  types: () => [RegisterDocumentsSuccess, InvalidDocumentsError, ...USER_ERROR_TYPES] as const,
});
export const RetireDocumentsResult = createUnionType({
  name: 'RetireDocumentsResult',
  description: 'Which documents the client has no more, or why it still has them.',
  types: () => [RetireDocumentsSuccess, ...USER_ERROR_TYPES] as const,
});

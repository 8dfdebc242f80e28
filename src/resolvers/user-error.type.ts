import 'reflect-metadata';
import { type ClassType, Field, Int, InterfaceType, ObjectType, registerEnumType } from 'type-graphql';
import { type Refusal } from '../store/registry';
import { Visible } from './rule';

/** The codes of refusals, as they stand in the results of mutations. Never renamed, never given another meaning. */
export const UserErrorCode = {
  NOT_FOUND: 'NOT_FOUND',
  FORBIDDEN: 'FORBIDDEN',
  INVALID_INPUT: 'INVALID_INPUT',
  CONFLICT: 'CONFLICT',
  IDEMPOTENCY_KEY_REUSED: 'IDEMPOTENCY_KEY_REUSED',
  WRONG_STATE: 'WRONG_STATE',
  LIMIT_EXCEEDED: 'LIMIT_EXCEEDED',
  TOO_MANY_ATTEMPTS: 'TOO_MANY_ATTEMPTS',
} as const satisfies Record<Refusal['code'], Refusal['code']>;
export type UserErrorCode = Refusal['code'];

registerEnumType(UserErrorCode, {
  name: 'UserErrorCode',
  description: 'Why a mutation was refused. Further codes may come; treat one you do not know as a refusal.',
  valuesConfig: {
    NOT_FOUND: {
      description: 'There is no such object, or it is not yours to see; the two are not told apart.',
    },
    FORBIDDEN: { description: 'You can see the object but may not change it in this way.' },
    INVALID_INPUT: { description: 'A part of the input is not acceptable; `path` says which.' },
    CONFLICT: {
      description: 'Something else changed the object at the same time, or holds what must be unique.',
    },
    IDEMPOTENCY_KEY_REUSED: { description: 'The idempotency key was used before with another input.' },
    WRONG_STATE: { description: 'The object is in a state that does not admit this; the message names it.' },
    TOO_MANY_ATTEMPTS: { description: 'Too many attempts went wrong: wait before the next.' },
    LIMIT_EXCEEDED: { description: 'More than may be asked for at once, or more than the tenant may have.' },
  },
});

@InterfaceType('UserError', {
  description:
    'Why a mutation was refused: nothing was changed. Select `... on UserError`, so that an error added later reaches you too.',
})
export abstract class UserError {
  @Visible('public')
  @Field(() => UserErrorCode, { description: 'A stable code for programs.' })
  code!: UserErrorCode;

  @Visible('public')
  @Field({ description: 'What was wrong and what to do, for people, in English.' })
  message!: string;

  @Visible('public')
  @Field(() => [String], {
    nullable: true,
    description:
      'The offending part of the arguments, e.g. `["input", "devices", "3", "spaceId"]`; null where no single part is at fault.',
  })
  path!: string[] | null;
}

function userErrorType(name: string, description: string): ClassType<UserError> {
  @ObjectType(name, { implements: UserError, description })
  class Refused extends UserError {}
  return Refused;
}

export const NotFoundError = userErrorType(
  'NotFoundError',
  'An id in the input names nothing, or nothing of yours.',
);
export const ForbiddenError = userErrorType('ForbiddenError', 'Your role does not include this change.');
export const InvalidInputError = userErrorType('InvalidInputError', 'A part of the input is not acceptable.');
export const ConflictError = userErrorType('ConflictError', 'The change collides with another.');
export const IdempotencyKeyReusedError = userErrorType(
  'IdempotencyKeyReusedError',
  'The idempotency key belongs to another input.',
);
export const LimitExceededError = userErrorType('LimitExceededError', 'More was asked for than is allowed.');

export const WrongStateError = userErrorType(
  'WrongStateError',
  'The object’s state does not admit the change.',
);

@ObjectType('TooManyAttemptsError', {
  implements: UserError,
  description: 'Too many attempts went wrong lately: nothing was looked up.',
})
export class TooManyAttemptsError extends UserError {
  @Visible('public')
  @Field(() => Int, { description: 'How long to wait before the next attempt, in seconds.' })
  retryAfterSeconds!: number;
}

const errorTypes: Record<Refusal['code'], ClassType<UserError>> = {
  NOT_FOUND: NotFoundError,
  FORBIDDEN: ForbiddenError,
  INVALID_INPUT: InvalidInputError,
  CONFLICT: ConflictError,
  IDEMPOTENCY_KEY_REUSED: IdempotencyKeyReusedError,
  WRONG_STATE: WrongStateError,
  LIMIT_EXCEEDED: LimitExceededError,
  TOO_MANY_ATTEMPTS: TooManyAttemptsError,
};

export const USER_ERROR_TYPES = Object.values(errorTypes);

/** The store names parts of its own input; to the client they lie below the argument `input`. */
export function userErrorOf(refusal: Refusal): UserError {
  return Object.assign(new errorTypes[refusal.code](), {
    code: refusal.code,
    message: refusal.message,
    path: refusal.path === undefined ? null : ['input', ...refusal.path.split('.')],
    ...(refusal.code === 'TOO_MANY_ATTEMPTS' && { retryAfterSeconds: refusal.retryAfterSeconds ?? 1 }),
  });
}

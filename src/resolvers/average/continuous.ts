import { QUANTITIES, quantityNamed, type QuantityName } from '../../domain/quantity';
import { clientError } from '../errors';

/** Throws BAD_USER_INPUT for a state, which has no mean. */
export function requireContinuous(quantity: QuantityName): void {
  if (quantityNamed(quantity).kind === 'continuous') return;
  const continuous = QUANTITIES.filter(({ kind }) => kind === 'continuous').map(({ name }) => name);
  throw clientError(
    'BAD_USER_INPUT',
    `${quantity} is a state and has no average: choose one of ${continuous.join(', ')}`,
  );
}

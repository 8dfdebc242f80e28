import { registerEnumType } from 'type-graphql';
import { QUANTITIES, type QuantityName } from '../domain/quantity';

export const Quantity = Object.fromEntries(QUANTITIES.map(({ name }) => [name, name])) as Record<
  QuantityName,
  QuantityName
>;

registerEnumType(Quantity, {
  name: 'Quantity',
  description:
    'What is measured, named after Brick, with its unit (UCUM) and physical range. Continuous quantities have averages; states have none. Further quantities may come.',
  valuesConfig: Object.fromEntries(
    QUANTITIES.map(({ name, description, kind, unit, minimum, maximum }) => [
      name,
      {
        description:
          kind === 'state'
            ? `${description}. A state.`
            : `${description}, in \`${unit}\`, ${
                maximum === Number.MAX_VALUE ? `at least ${minimum}` : `${minimum} to ${maximum}`
              }.`,
      },
    ]),
  ),
});

import { Field, ID, InterfaceType } from 'type-graphql';
import { Visible } from './rule';

@InterfaceType('Node', {
  description: 'What has a global id, by which it can be fetched again with `node(id)`.',
})
export abstract class Node {
  @Visible('with-parent')
  @Field(() => ID, { description: 'Opaque and global: unique over all tenants and kinds.' })
  id!: string;
}

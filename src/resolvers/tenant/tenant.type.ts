import { Field, ObjectType } from 'type-graphql';
import { type TenantDocument } from '../../store/documents';
import { Node } from '../node.type';
import { type Owned, Visible } from '../rule';

@ObjectType('Tenant', {
  implements: Node,
  description:
    'An organisation that owns buildings: whoever is named in one of its roles sees what the role allows.',
})
export class Tenant extends Node implements Owned {
  tenantId!: string;

  @Visible('with-parent')
  @Field({ description: 'What its people call it.' })
  name!: string;

  static of(document: TenantDocument): Tenant {
    return Object.assign(new Tenant(), {
      id: document.tenantId,
      tenantId: document.tenantId,
      name: document.name,
    });
  }
}

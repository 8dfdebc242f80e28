import { createUnionType, Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import {
  EXPORT_FORMATS,
  type ExportFormat as Format,
  type ExportPart as Part,
  MAXIMUM_EXPORT_DAYS,
  MAXIMUM_EXPORT_DEVICES,
  MAXIMUM_EXPORT_SPACES,
} from '../../domain/export';
import { type QuantityName } from '../../domain/quantity';
import { type ReadingsExport } from '../../store/exports/documents';
import { connectionType } from '../connection';
import { Job } from '../job/job.type';
import { Node } from '../node.type';
import { Quantity } from '../quantity.type';
import { Visible } from '../rule';
import { DateTime, Long } from '../scalars';
import { USER_ERROR_TYPES } from '../user-error.type';

export const ExportFormat = Object.fromEntries(EXPORT_FORMATS.map((each) => [each, each])) as Record<
  Format,
  Format
>;
registerEnumType(ExportFormat, {
  name: 'ExportFormat',
  description: 'How the files of an export are written. Further formats may come.',
  valuesConfig: {
    CSV: {
      description:
        'By RFC 4180, in UTF-8, with a header; instants in ISO 8601, UTC. A text that a spreadsheet would take for a formula is given an apostrophe before it.',
    },
    PARQUET: { description: 'Compressed with zstd; instants with their zone, UTC.' },
  },
});

@ObjectType('ExportPart', {
  description: 'One file of an export: the readings of a stretch of its time, oldest first.',
})
export class ExportPart {
  @Visible('with-parent')
  @Field({ description: 'Its name: parts in the order of their names are in the order of time.' })
  name!: string;

  @Visible('with-parent')
  @Field(() => Long, { description: 'Its size, in bytes.' })
  bytes!: number;

  @Visible('with-parent')
  @Field(() => Long, { description: 'How many readings it holds.' })
  rows!: number;

  @Visible('with-parent')
  @Field({
    description:
      'Where it is downloaded with a GET that bears your access token: a path of this API’s address. The right to it is asked for again at each download; until the export `expiresAt`.',
  })
  url!: string;

  static of(exportId: string, part: Part): ExportPart {
    return Object.assign(new ExportPart(), { ...part, url: `/exports/${exportId}/${part.name}` });
  }
}

@ObjectType('Export', {
  implements: Node,
  description:
    'Readings as files to be downloaded, made in the background. Seen by those who may read all that it holds.',
})
export class Export extends Node {
  tenantId!: string;
  source!: ReadingsExport;

  @Visible('with-parent')
  @Field(() => Job, { description: 'The job that makes it: how far it is, and why it failed if it did.' })
  job!: Job;

  @Visible('with-parent')
  @Field(() => ExportFormat, { description: 'How its files are written.' })
  format!: Format;

  @Visible('with-parent')
  @Field(() => ID, {
    nullable: true,
    description: 'The building that it is of; null where it is of all of a tenant’s.',
  })
  buildingId!: string | null;

  @Visible('with-parent')
  @Field(() => [Quantity], { description: 'Which quantities it holds.' })
  quantities!: QuantityName[];

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'It holds readings observed from this instant on.' })
  from!: Date;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'It holds readings observed before this instant.' })
  to!: Date;

  @Visible('with-parent')
  @Field(() => DateTime, {
    nullable: true,
    description: 'Until when its parts can be downloaded; null where there are none to be had.',
  })
  expiresAt!: Date | null;

  static of(source: ReadingsExport): Export {
    const { id, tenantId, buildingId, format, quantities, from, to, expiresAt } = source;
    return Object.assign(new Export(), {
      id,
      tenantId,
      source,
      job: Job.of(source.job),
      format,
      buildingId,
      quantities,
      from: new Date(from),
      to: new Date(to),
      expiresAt: expiresAt === null ? null : new Date(expiresAt),
    });
  }
}

export const ExportConnection = connectionType(Export, 'Export', 'the exports of a tenant');

@InputType({ description: 'Readings that are wanted as files. Give a building or a tenant, not both.' })
export class ExportReadingsInput {
  @Field(() => ID, { nullable: true, description: 'The building.' })
  buildingId?: string | null;

  @Field(() => ID, { nullable: true, description: 'The tenant, for all of its buildings.' })
  tenantId?: string | null;

  @Field(() => [ID], {
    nullable: true,
    description: `Only in these spaces of the building and those that lie in them, at most ${MAXIMUM_EXPORT_SPACES}; left out, anywhere.`,
  })
  spaces?: string[] | null;

  @Field(() => [ID], {
    nullable: true,
    description: `Only from these devices, at most ${MAXIMUM_EXPORT_DEVICES}; left out, from any.`,
  })
  devices?: string[] | null;

  @Field(() => [Quantity], {
    nullable: true,
    description: 'Only these quantities; left out, all that you may see.',
  })
  quantities?: QuantityName[] | null;

  @Field(() => DateTime, { description: 'Readings observed from this instant on.' })
  from!: Date;

  @Field(() => DateTime, {
    description: `Readings observed before this instant, at most ${MAXIMUM_EXPORT_DAYS} days later.`,
  })
  to!: Date;

  @Field(() => ExportFormat, { description: 'How the files are to be written.' })
  format!: Format;

  @Field({
    description:
      'Chosen by you, unique for this export: the same key with the same input gives the same export again, for 24 hours.',
  })
  idempotencyKey!: string;
}

@ObjectType({ description: 'The export is being made.' })
export class ExportReadingsSuccess {
  @Visible('with-parent')
  @Field(() => Export, {
    description: 'Its job has a row a part; ask for the export until the job has a `finishedAt`.',
  })
  export!: Export;
}

export const ExportReadingsResult = createUnionType({
  name: 'ExportReadingsResult',
  description: 'The export, or why there is none.',
  types: () => [ExportReadingsSuccess, ...USER_ERROR_TYPES] as const,
});

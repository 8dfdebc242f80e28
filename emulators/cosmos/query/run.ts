import { createHash } from 'node:crypto';
import { queryCharge } from '../charges';
import { valueAt } from '../partition-key';
import { refusal, type Reply } from '../reply';
import { type Container } from '../store/catalog';
import { type Access, type Candidate, type Position, type Scope } from './access';
import { createAggregation } from './aggregation';
import { compile, type Evaluate, projected } from './evaluate';
import { comparePlaces, compareText, type Place, placeOf } from './order';
import { parseQuery } from './parser';
import { type Plan, planQuery, wantedPaths } from './plan';
import { type Expression, type Query, QueryProblem } from './syntax';

export interface QueryRequest {
  text: string;
  parameters: ReadonlyMap<string, unknown>;
  scope: Scope;
  /** Most items on the page. */
  limit: number;
  continuation?: string;
}

export interface Queries {
  run(container: Container, request: QueryRequest): Promise<Reply>;
}

const LARGEST_PAGE_BYTES = 4 * 1024 * 1024;
/** Documents that one page looks at: past it the page ends, with a continuation, so that no query holds the others up. */
const MOST_EXAMINED = 5000;
const KEPT_TREES = 1000;
/** https://learn.microsoft.com/azure/cosmos-db/concepts-limits#sql-query-limits */
const LONGEST_QUERY = 512 * 1024;
const LONGEST_KEPT = 16 * 1024;

interface Continuation {
  /** Of the query, its parameters and its container: a continuation of another query is refused. */
  query: string;
  order: string;
  after?: Position;
  /** Documents still to pass over, and still to return. */
  skip: number;
  take?: number;
}

export function createQueries(options: {
  access: Access;
  seconds: () => number;
  /** Resolves when the container has the index and it is complete. */
  ensureIndex: (container: Container, names: readonly string[]) => Promise<void> | undefined;
}): Queries {
  const { access, seconds, ensureIndex } = options;
  const trees = new Map<string, Query>();

  function tree(text: string): Query {
    if (text.length > LONGEST_QUERY)
      throw new QueryProblem(`The query is longer than ${LONGEST_QUERY} characters.`);
    let query = trees.get(text);
    if (!query) {
      query = parseQuery(text);
      if (trees.size >= KEPT_TREES) trees.clear();
      // Long ones hold values in their text and do not come again.
      if (text.length <= LONGEST_KEPT) trees.set(text, query);
    }
    return query;
  }

  async function run(container: Container, request: QueryRequest): Promise<Reply> {
    const { scope, parameters } = request;
    const query = tree(request.text);
    const where = query.where && compile(query.where, parameters);
    const fingerprint = fingerprintOf(container, request);
    const state: Continuation =
      request.continuation === undefined
        ? {
            query: fingerprint,
            order: '',
            skip: countOf(query.offset, parameters) ?? 0,
            take: countOf(query.top ?? query.limit, parameters),
          }
        : continuationOf(request.continuation, fingerprint);

    for (const names of wantedPaths(query, container, scope, parameters)) {
      const building = ensureIndex(container, names);
      if (building) await building;
    }
    const resumed = request.continuation === undefined ? undefined : state.order;
    const plan = planQuery(query, container, scope, parameters, access, resumed);
    if (query.select.kind === 'aggregate')
      return aggregate(container, query, query.select, plan, where, request);
    return page(container, query, plan, where, state, request);
  }

  function page(
    container: Container,
    query: Query,
    plan: Plan,
    where: Evaluate | undefined,
    state: Continuation,
    { parameters, limit }: QueryRequest,
  ): Reply {
    const project = projection(query, parameters);
    const now = seconds();
    const examining = where && !plan.exact ? where : undefined;
    const texts: string[] = [];
    let { skip, take, after } = state;
    let examined = 0;
    let bytesExamined = 0;
    let bytes = 0;
    let more = false;

    const candidates = plan.sortBy
      ? sorted(plan, plan.sortBy, query, container, examining, after, now)
      : plan.candidates(after);
    if (take !== 0) {
      for (const candidate of candidates) {
        if (texts.length >= limit || bytes >= LARGEST_PAGE_BYTES || examined >= MOST_EXAMINED) {
          more = true;
          break;
        }
        examined += 1;
        bytesExamined += candidate.body.length;
        after = candidate.position;
        if (candidate.expires !== null && candidate.expires <= now) continue;
        let document: unknown;
        if (examining || project) document = JSON.parse(candidate.body);
        if (examining && examining(document) !== true) continue;
        const text = project ? JSON.stringify(project(document)) : candidate.body;
        // A selected value that is undefined is no result.
        if (text === undefined) continue;
        if (skip > 0) {
          skip -= 1;
          continue;
        }
        texts.push(text);
        bytes += text.length;
        if (take !== undefined && (take -= 1) === 0) break;
      }
    }
    const reply = envelope(container, texts, { examined, bytesExamined, bytesSent: bytes });
    if (more) {
      const next: Continuation = { ...state, order: plan.order, after, skip, take };
      reply.headers!['x-ms-continuation'] = Buffer.from(JSON.stringify(next)).toString('base64url');
    }
    return reply;
  }

  /** All matches, sorted, from a position on: for few, whose order no index gives together with their filter. */
  function* sorted(
    plan: Plan,
    names: string[],
    query: Query,
    container: Container,
    where: Evaluate | undefined,
    after: Position | undefined,
    now: number,
  ): Generator<Candidate> {
    const { explicit } = container.coverage(names);
    const found: { candidate: Candidate; place: Place; id: string }[] = [];
    for (const candidate of plan.candidates(undefined)) {
      if (candidate.expires !== null && candidate.expires <= now) continue;
      const document: unknown = JSON.parse(candidate.body);
      if (where && where(document) !== true) continue;
      const value = valueAt(document, names);
      if (value === undefined && !explicit) continue;
      const place = placeOf(value);
      const id = (document as { id: string }).id;
      found.push({ candidate: { ...candidate, position: [place[0], place[1], id] }, place, id });
    }
    const direction = query.orderBy!.descending ? -1 : 1;
    const compare = (a: { place: Place; id: string }, b: { place: Place; id: string }): number =>
      direction * (comparePlaces(a.place, b.place) || compareText(a.id, b.id));
    found.sort(compare);
    const start = after && { place: [after[0], after[1]] as unknown as Place, id: after[2] as string };
    for (const each of found) if (!start || compare(each, start) > 0) yield each.candidate;
  }

  async function aggregate(
    container: Container,
    query: Query,
    select: Extract<Query['select'], { kind: 'aggregate' }>,
    plan: Plan,
    where: Evaluate | undefined,
    { parameters }: QueryRequest,
  ): Promise<Reply> {
    if (query.orderBy || query.top || query.limit) {
      throw new QueryProblem(
        'An aggregate with ORDER BY, TOP or OFFSET LIMIT is not supported by the local Cosmos stand-in.',
      );
    }
    const argument = compile(select.argument, parameters);
    const counting = select.aggregate === 'COUNT' && select.argument.kind === 'literal';
    if (counting && plan.count && container.definition.defaultTtl === undefined) {
      const count =
        select.argument.kind === 'literal' && select.argument.value === undefined ? 0 : plan.count();
      return envelope(container, [String(count)], { examined: 0, bytesExamined: 0, bytesSent: 8 });
    }
    const aggregation = createAggregation(select.aggregate);
    const now = seconds();
    let after: Position | undefined;
    let examined = 0;
    let bytesExamined = 0;
    for (let more = true; more;) {
      more = false;
      let slice = 0;
      for (const candidate of plan.candidates(after)) {
        if (slice >= MOST_EXAMINED) {
          more = true;
          break;
        }
        slice += 1;
        after = candidate.position;
        bytesExamined += candidate.body.length;
        if (candidate.expires !== null && candidate.expires <= now) continue;
        const document: unknown = JSON.parse(candidate.body);
        if (where && !plan.exact && where(document) !== true) continue;
        aggregation.add(argument(document));
      }
      examined += slice;
      // Others get their turn between the slices of a long count.
      if (more) await new Promise((resolve) => setImmediate(resolve));
    }
    const text = JSON.stringify(aggregation.result());
    return envelope(container, text === undefined ? [] : [text], { examined, bytesExamined, bytesSent: 8 });
  }

  return {
    async run(container, request) {
      try {
        return await run(container, request);
      } catch (error) {
        if (error instanceof QueryProblem) return refusal(400, error.message);
        // The parser and the compiler call themselves once a level.
        if (error instanceof RangeError && /call stack/.test(error.message)) {
          return refusal(400, 'The query is nested too deeply.');
        }
        throw error;
      }
    },
  };
}

function projection({ select }: Query, parameters: ReadonlyMap<string, unknown>): Evaluate | undefined {
  if (select.kind === 'value') {
    return select.value.kind === 'path' && select.value.names.length === 0
      ? undefined
      : compile(select.value, parameters);
  }
  if (select.kind !== 'list') return undefined;
  const properties = select.properties.map(({ name, value }) => ({
    name,
    value: compile(value, parameters),
  }));
  return (document) => projected(properties, document);
}

function countOf(
  expression: Expression | undefined,
  parameters: ReadonlyMap<string, unknown>,
): number | undefined {
  if (!expression) return undefined;
  const value = compile(expression, parameters)(undefined);
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
    throw new QueryProblem(
      `TOP, OFFSET and LIMIT take a whole number of at least 0, not ${JSON.stringify(value)}.`,
    );
  }
  return value;
}

function envelope(
  container: Container,
  texts: string[],
  work: { examined: number; bytesExamined: number; bytesSent: number },
): Reply {
  return {
    status: 200,
    body: `{"_rid":"${container.rid}","Documents":[${texts.join(',')}],"_count":${texts.length}}`,
    charge: queryCharge(work),
    lsn: container.lsn,
    headers: { 'x-ms-item-count': String(texts.length) },
  };
}

function fingerprintOf(container: Container, { text, parameters, scope }: QueryRequest): string {
  return createHash('sha1')
    .update(JSON.stringify([container.rid, text, [...parameters], scope]))
    .digest('base64url')
    .slice(0, 16);
}

function continuationOf(token: string, fingerprint: string): Continuation {
  let value: Partial<Continuation> | undefined;
  try {
    value = JSON.parse(Buffer.from(token, 'base64url').toString()) as Partial<Continuation>;
  } catch {
    value = undefined;
  }
  const { query, order, after, skip, take } = value ?? {};
  const sound =
    typeof order === 'string' &&
    typeof skip === 'number' &&
    (take === undefined || typeof take === 'number') &&
    (after === undefined || (Array.isArray(after) && after.length === (order === 'id' ? 2 : 3)));
  if (!sound) throw new QueryProblem('The continuation token is malformed.');
  if (query !== fingerprint)
    throw new QueryProblem('The continuation token is of another query or container.');
  return { query, order, after, skip, take };
}

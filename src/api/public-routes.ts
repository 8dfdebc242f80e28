import { type FastifyInstance } from 'fastify';
import { type GraphQLSchema } from 'graphql';
import { healthAnswers, type Readiness } from '../observability/health';
import { type Registry as Metrics } from '../observability/metrics';
import { createGraphiQL, GRAPHIQL_PATH, type PageFile, pageSecurityPolicy } from './graphiql';
import { type PageSignIn, signInOrigin } from './graphiql-sign-in';
import { schemaText } from './schema-file';

export interface GraphiqlPage {
  page: PageFile;
  headers(host: string | undefined): Record<string, string>;
}

/**
 * What is served to anybody: health, metrics, the schema's text and GraphiQL's files. None of it tells of a tenant.
 * @returns the GraphiQL page, with the headers it needs.
 */
export function registerPublicRoutes(
  app: FastifyInstance,
  options: {
    schema: GraphQLSchema;
    metrics: Metrics;
    readiness: () => Readiness;
    signIn?: PageSignIn | undefined;
  },
): GraphiqlPage {
  const health = healthAnswers(options);
  for (const path of ['/healthz', '/readyz', '/metrics']) {
    app.get(path, async (_request, reply) => {
      const answer = await health(path);
      return reply.code(answer.status).type(answer.type).send(answer.body);
    });
  }
  const text = schemaText(options.schema);
  app.get('/schema.graphql', async (_request, reply) => reply.type('text/plain; charset=utf-8').send(text));

  const graphiql = createGraphiQL(options.schema, options.signIn);
  app.get<{ Params: { name: string } }>(`${GRAPHIQL_PATH}/:name`, async (request, reply) => {
    const file = graphiql.file(request.params.name);
    if (file === undefined) return reply.callNotFound();
    return reply.type(file.type).header('cache-control', 'public, max-age=3600').send(file.body);
  });
  return {
    page: graphiql.page,
    headers: (host) => ({
      'content-security-policy': pageSecurityPolicy(host, signInOrigin(options.signIn)),
      'cache-control': 'no-cache',
      // The same address answers a program with JSON.
      vary: 'accept',
    }),
  };
}

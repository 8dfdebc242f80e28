/** What runs in the GraphiQL page. It stands here as text because it is the browser's, not this process's. */
export const GRAPHIQL_SCRIPT = `'use strict';
(() => {
  const field = document.getElementById('token');
  const status = document.getElementById('signed-in');
  // For this tab and its session only.
  field.value = sessionStorage.getItem('atrium-token') || '';
  const token = () => field.value.trim();
  const show = () => { status.textContent = token() ? 'signed in' : 'no token yet'; };
  show();

  let client;
  const subscriber = () => {
    if (!client) {
      client = graphqlWs.createClient({
        url: location.origin.replace(/^http/, 'ws') + '/graphql',
        connectionParams: () => ({ Authorization: 'Bearer ' + token() }),
      });
    }
    return client;
  };

  document.getElementById('sign-in').addEventListener('submit', (event) => {
    event.preventDefault();
    sessionStorage.setItem('atrium-token', token());
    if (client) client.dispose();
    client = undefined;
    show();
  });

  const isSubscription = (parameters, options) => {
    const definitions = (options.documentAST && options.documentAST.definitions) || [];
    return definitions.some((each) => each.kind === 'OperationDefinition' && each.operation === 'subscription'
      && (!parameters.operationName || (each.name && each.name.value === parameters.operationName)));
  };

  // WebSocket closes without an error to show: say what its reason was.
  const explained = (error) => error instanceof Error || Array.isArray(error) ? error
    : { errors: [{ message: 'the connection was closed (' + error.code + '): ' + (error.reason || 'no reason given') }] };

  const fetcher = (parameters, options = {}) => {
    if (isSubscription(parameters, options)) {
      return { subscribe: (observer) => {
        const end = subscriber().subscribe(parameters, {
          next: (result) => observer.next(result),
          error: (error) => observer.error(explained(error)),
          complete: () => observer.complete(),
        });
        return { unsubscribe: end };
      } };
    }
    const headers = { 'content-type': 'application/json', accept: 'application/graphql-response+json, application/json' };
    if (token()) headers.authorization = 'Bearer ' + token();
    return fetch('/graphql', { method: 'POST', headers: Object.assign(headers, options.headers), body: JSON.stringify(parameters) })
      .then((response) => response.json());
  };

  const examples = JSON.parse(document.getElementById('examples').textContent);
  const root = ReactDOM.createRoot(document.getElementById('graphiql'));
  fetch('/graphiql/schema.json')
    .then((response) => response.json())
    .then((schema) => root.render(React.createElement(GraphiQL, {
      fetcher,
      schema,
      defaultTabs: examples,
      defaultEditorToolsVisibility: 'variables',
      shouldPersistHeaders: false,
    })));
})();
`;

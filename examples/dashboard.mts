// A building's averages and its devices, asked for once.
//
//   node examples/dashboard.mts http://127.0.0.1:4000/graphql "$TOKEN"
//
// Node 24 runs this file as it stands. Copy it; types for a whole client come from schema.graphql, see docs/graphql.md.

interface Dashboard {
  buildings: { nodes: { id: string; name: string; averages: Average[]; devices: { nodes: Device[] } }[] };
}
interface Average {
  // A newer platform may know more quantities: a string, not a closed list.
  quantity: string;
  unit: string;
  mean: number | null;
  devicesReporting: number;
  devicesExpected: number;
}
interface Device {
  id: string;
  name: string;
  state: string;
  lastSeenAt: string | null;
}
interface Answer<Data> {
  data?: Data | null;
  errors?: { message: string; path?: (string | number)[]; extensions: { code: string; requestId: string } }[];
}

const QUERY = `
  query Dashboard($buildings: Int!, $devices: Int!) {
    buildings(first: $buildings) {
      nodes {
        id
        name
        averages { quantity unit mean devicesReporting devicesExpected }
        devices(first: $devices) { nodes { id name state lastSeenAt } }
      }
    }
  }`;

const [url, token] = process.argv.slice(2);
if (url === undefined || token === undefined) {
  console.error('usage: node examples/dashboard.mts URL TOKEN');
  process.exit(2);
}

async function ask<Data>(query: string, variables: object): Promise<Data> {
  for (;;) {
    const response = await fetch(url!, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json',
        authorization: `Bearer ${token}`,
      },
      body: JSON.stringify({ query, variables }),
    });
    // Over one's share, or a service behind the API is away: the answer says when to come again.
    if (response.status === 429 || response.status === 503) {
      const seconds = Number(response.headers.get('retry-after') ?? 2);
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      continue;
    }
    const { data, errors } = (await response.json()) as Answer<Data>;
    // A field that may not be seen is null and named in `errors`; the rest is good.
    for (const { message, path, extensions } of errors ?? []) {
      console.error(
        `${path?.join('.') ?? 'request'}: ${message} (${extensions.code}, ${extensions.requestId})`,
      );
    }
    if (data == null) throw new Error(`no data, status ${response.status}`);
    return data;
  }
}

const { buildings } = await ask<Dashboard>(QUERY, { buildings: 20, devices: 20 });
for (const { name, averages, devices } of buildings.nodes) {
  console.log(name);
  for (const { quantity, unit, mean, devicesReporting, devicesExpected } of averages) {
    const value = mean === null ? 'nothing in the last five minutes' : `${mean.toFixed(2)} ${unit}`;
    console.log(`  ${quantity}: ${value}, ${devicesReporting} of ${devicesExpected} devices`);
  }
  for (const device of devices.nodes) {
    console.log(`  ${device.name}: ${device.state}, last seen ${device.lastSeenAt ?? 'never'}`);
  }
}

/** What the live table asks, as any dashboard would: every building the person may see, with its averages now. */
export const TABLE_QUERY = `query Buildings {
  buildings(first: 50) {
    nodes { name tenant { name } averages { quantity unit mean readings devicesReporting devicesExpected windowEnd } }
  }
}`;

export interface TableBuilding {
  name: string;
  tenant: { name: string };
  averages: {
    quantity: string;
    unit: string;
    mean: number | null;
    readings: number;
    devicesReporting: number;
    devicesExpected: number;
    windowEnd: string;
  }[];
}

/** A token for one of the demo people, from the identity stand-in. */
export async function demoToken(issuer: string, email: string): Promise<string> {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'urn:atrium:demo-person',
      client_id: 'atrium-cli',
      user: email,
    }),
    signal: AbortSignal.timeout(5_000),
  });
  if (!response.ok) throw new Error(`the identity stand-in answered ${response.status}`);
  return ((await response.json()) as { access_token: string }).access_token;
}

export async function askBuildings(api: string, token: string): Promise<TableBuilding[]> {
  const response = await fetch(api, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: TABLE_QUERY }),
    signal: AbortSignal.timeout(5_000),
  });
  const answer = (await response.json()) as {
    data?: { buildings: { nodes: TableBuilding[] } } | null;
    errors?: { message: string }[];
  };
  if (!answer.data) throw new Error(answer.errors?.[0]?.message ?? `status ${response.status}`);
  return answer.data.buildings.nodes;
}

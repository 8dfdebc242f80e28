import { OperatorError } from '../src/observability/operator-error';
import {
  BuildingNowDocument,
  BuildingsDocument,
  CreateBuildingDocument,
  type NewSpaceInput,
  ProvisionDevicesDocument,
  RetireDeviceDocument,
  TypedDocumentString,
  ViewerDocument,
} from './generated/graphql';
import { type GraphqlClient } from './graphql-client';

/** The calls of the public API that the simulator makes. A refusal of the API is an OperatorError in its own words. */
export interface PlatformApi {
  /** The tenants that the signed-in person belongs to. */
  tenants(): Promise<{ id: string; name: string }[]>;
  buildingExists(id: string): Promise<boolean>;
  /** Its spaces by name, and its devices in service; null where the tenant has no building of that name. */
  buildingNamed(
    tenantId: string,
    name: string,
  ): Promise<{ id: string; spaces: Record<string, string>; devices: { id: string; name: string }[] } | null>;
  createBuilding(
    input: { tenantId: string; name: string; timeZone: string; spaces: NewSpaceInput[] },
    idempotencyKey: string,
  ): Promise<{ id: string; spaces: Record<string, string> }>;
  /** In the order of the input; a connection string is null where it was shown before. */
  provisionDevices(
    input: { buildingId: string; devices: { name: string; model: string; spaceId: string }[] },
    idempotencyKey: string,
  ): Promise<{ deviceId: string; connectionString: string | null }[]>;
  retireDevice(deviceId: string): Promise<void>;
}

const PAGE = 200;

interface PageInfo {
  hasNextPage: boolean;
  endCursor: string | null;
}

interface Inventory {
  building: {
    spaces: { id: string; name: string }[];
    devices: { nodes: { id: string; name: string; state: string }[]; pageInfo: PageInfo } | null;
  } | null;
}

/** What stands in a building: only asked where credentials were lost, so that it is no documented operation. */
const INVENTORY = new TypedDocumentString<
  Inventory,
  { id: string; after: string | null }
>(`query Inventory($id: ID!, $after: String) {
  building(id: $id) {
    spaces { id name }
    devices(first: ${PAGE}, after: $after) {
      nodes { id name state }
      pageInfo { hasNextPage endCursor }
    }
  }
}`);

export function createPlatformApi(client: GraphqlClient): PlatformApi {
  const idOf = async (tenantId: string, name: string): Promise<string | undefined> => {
    let after: string | null = null;
    do {
      const { buildings }: { buildings: BuildingsPage } = await client.execute(BuildingsDocument, {
        first: PAGE,
        after,
        tenant: tenantId,
      });
      const found = buildings.nodes.find((each) => each.name === name);
      if (found !== undefined) return found.id;
      after = buildings.pageInfo.hasNextPage ? buildings.pageInfo.endCursor : null;
    } while (after !== null);
    return undefined;
  };

  return {
    async tenants() {
      const { viewer } = await client.execute(ViewerDocument, {});
      return viewer.tenants.map(({ tenant }) => ({ id: tenant.id, name: tenant.name }));
    },
    async buildingExists(id) {
      return (await client.execute(BuildingNowDocument, { id })).building !== null;
    },
    async buildingNamed(tenantId, name) {
      const id = await idOf(tenantId, name);
      if (id === undefined) return null;
      const spaces: Record<string, string> = {};
      const devices: { id: string; name: string }[] = [];
      let after: string | null = null;
      do {
        const { building }: Inventory = await client.execute(INVENTORY, { id, after });
        for (const space of building?.spaces ?? []) spaces[space.name] = space.id;
        for (const device of building?.devices?.nodes ?? []) {
          if (device.state !== 'RETIRED') devices.push({ id: device.id, name: device.name });
        }
        const page: PageInfo | undefined = building?.devices?.pageInfo;
        after = page?.hasNextPage ? page.endCursor : null;
      } while (after !== null);
      return { id, spaces, devices };
    },
    async createBuilding(input, idempotencyKey) {
      const { createBuilding } = await client.execute(CreateBuildingDocument, {
        input: { ...input, idempotencyKey },
      });
      if (createBuilding.__typename !== 'CreateBuildingSuccess') throw refusal(input.name, createBuilding);
      return {
        id: createBuilding.building.id,
        spaces: Object.fromEntries(createBuilding.spaces.map(({ id, name }) => [name, id])),
      };
    },
    async provisionDevices(input, idempotencyKey) {
      const { provisionDevices } = await client.execute(ProvisionDevicesDocument, {
        input: { ...input, idempotencyKey },
      });
      if (provisionDevices.__typename !== 'ProvisionDevicesSuccess') {
        throw refusal(`the devices of ${input.buildingId}`, provisionDevices);
      }
      return provisionDevices.devices.map(({ device, connectionString }) => ({
        deviceId: device.id,
        connectionString,
      }));
    },
    async retireDevice(deviceId) {
      const { retireDevice } = await client.execute(RetireDeviceDocument, { input: { deviceId } });
      if (retireDevice.__typename !== 'RetireDeviceSuccess') throw refusal(deviceId, retireDevice);
    },
  };
}

interface BuildingsPage {
  nodes: { id: string; name: string }[];
  pageInfo: PageInfo;
}

function refusal(what: string, error: { code: string; message: string }): OperatorError {
  return new OperatorError(`${what} was refused (${error.code}): ${error.message}`);
}

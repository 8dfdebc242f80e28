/* eslint-disable */
import * as types from './graphql';



/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "query BuildingHistory($id: ID!, $quantity: Quantity!, $from: DateTime!, $to: DateTime!, $first: Int! = 50, $after: String) {\n  building(id: $id) {\n    id\n    name\n    averageHistory(\n      quantity: $quantity\n      from: $from\n      to: $to\n      first: $first\n      after: $after\n    ) {\n      nodes {\n        quantity\n        unit\n        mean\n        minimum\n        maximum\n        readings\n        devicesReporting\n        devicesExpected\n        windowStart\n        windowEnd\n        asOf\n        lastReadingAt\n        position {\n          incarnation\n          partition\n          sequence\n        }\n        revision\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n}": typeof types.BuildingHistoryDocument,
    "query BuildingNow($id: ID!) {\n  building(id: $id) {\n    id\n    name\n    timeZone\n    averages {\n      quantity\n      unit\n      mean\n      minimum\n      maximum\n      readings\n      devicesReporting\n      devicesExpected\n      windowStart\n      windowEnd\n      asOf\n      lastReadingAt\n      position {\n        incarnation\n        partition\n        sequence\n      }\n      revision\n    }\n  }\n}": typeof types.BuildingNowDocument,
    "query Buildings($first: Int! = 50, $after: String, $tenant: ID) {\n  buildings(first: $first, after: $after, tenant: $tenant) {\n    nodes {\n      id\n      name\n      timeZone\n      tenant {\n        id\n        name\n      }\n    }\n    pageInfo {\n      hasNextPage\n      endCursor\n    }\n  }\n}": typeof types.BuildingsDocument,
    "mutation CreateBuilding($input: CreateBuildingInput!) {\n  createBuilding(input: $input) {\n    __typename\n    ... on CreateBuildingSuccess {\n      building {\n        id\n        name\n        timeZone\n      }\n      spaces {\n        id\n        name\n        kind\n      }\n    }\n    ... on UserError {\n      code\n      message\n      path\n    }\n  }\n}": typeof types.CreateBuildingDocument,
    "query DeviceConfiguration($id: ID!) {\n  device(id: $id) {\n    id\n    name\n    state\n    activatedAt\n    suspendedAt\n    suspensionReason\n    parent {\n      id\n      name\n    }\n    configuration {\n      desired\n      desiredVersion\n      desiredAt\n      reported\n      reportedVersion\n      reportedAt\n    }\n  }\n}": typeof types.DeviceConfigurationDocument,
    "query DeviceDetail($id: ID!) {\n  device(id: $id) {\n    id\n    name\n    model\n    serialNumber\n    state\n    createdAt\n    retiredAt\n    building {\n      id\n      name\n      timeZone\n    }\n    space {\n      id\n      name\n      kind\n    }\n    assignments {\n      channel\n      quantity\n      unit\n      from\n      to\n      point {\n        id\n        unit\n        space {\n          id\n          name\n        }\n      }\n    }\n  }\n}": typeof types.DeviceDetailDocument,
    "mutation IssueDeviceCredential($input: IssueDeviceCredentialInput!) {\n  issueDeviceCredential(input: $input) {\n    __typename\n    ... on IssueDeviceCredentialSuccess {\n      device {\n        id\n        name\n        state\n      }\n      connectionString\n      secretsAlreadyShown\n    }\n    ... on UserError {\n      code\n      message\n      path\n    }\n  }\n}": typeof types.IssueDeviceCredentialDocument,
    "subscription OnBuildingAverage($building: ID!, $quantity: Quantity) {\n  buildingAverage(building: $building, quantity: $quantity) {\n    quantity\n    unit\n    mean\n    minimum\n    maximum\n    readings\n    devicesReporting\n    devicesExpected\n    windowStart\n    windowEnd\n    asOf\n    lastReadingAt\n    position {\n      incarnation\n      partition\n      sequence\n    }\n    revision\n  }\n}": typeof types.OnBuildingAverageDocument,
    "mutation ProvisionDevices($input: ProvisionDevicesInput!) {\n  provisionDevices(input: $input) {\n    __typename\n    ... on ProvisionDevicesSuccess {\n      devices {\n        device {\n          id\n          name\n          model\n          serialNumber\n          state\n        }\n        connectionString\n        secretsAlreadyShown\n      }\n    }\n    ... on UserError {\n      code\n      message\n      path\n    }\n  }\n}": typeof types.ProvisionDevicesDocument,
    "mutation ResumeDevice($input: ResumeDeviceInput!) {\n  resumeDevice(input: $input) {\n    __typename\n    ... on ResumeDeviceSuccess {\n      device {\n        id\n        name\n        state\n        suspendedAt\n      }\n    }\n    ... on UserError {\n      code\n      message\n      path\n    }\n  }\n}": typeof types.ResumeDeviceDocument,
    "mutation RetireDevice($input: RetireDeviceInput!) {\n  retireDevice(input: $input) {\n    __typename\n    ... on RetireDeviceSuccess {\n      device {\n        id\n        name\n        state\n        retiredAt\n      }\n    }\n    ... on UserError {\n      code\n      message\n      path\n    }\n  }\n}": typeof types.RetireDeviceDocument,
    "mutation RotateDeviceCredential($input: RotateDeviceCredentialInput!) {\n  rotateDeviceCredential(input: $input) {\n    __typename\n    ... on RotateDeviceCredentialSuccess {\n      device {\n        id\n        name\n        state\n      }\n      connectionString\n      secretsAlreadyShown\n    }\n    ... on UserError {\n      code\n      message\n      path\n    }\n  }\n}": typeof types.RotateDeviceCredentialDocument,
    "mutation SetDeviceConfiguration($input: SetDeviceConfigurationInput!) {\n  setDeviceConfiguration(input: $input) {\n    __typename\n    ... on SetDeviceConfigurationSuccess {\n      device {\n        id\n        name\n      }\n      configuration {\n        desired\n        desiredVersion\n        desiredAt\n        reported\n        reportedVersion\n        reportedAt\n      }\n    }\n    ... on UserError {\n      code\n      message\n      path\n    }\n  }\n}": typeof types.SetDeviceConfigurationDocument,
    "mutation SetDeviceParent($input: SetDeviceParentInput!) {\n  setDeviceParent(input: $input) {\n    __typename\n    ... on SetDeviceParentSuccess {\n      device {\n        id\n        name\n        parent {\n          id\n          name\n        }\n      }\n    }\n    ... on UserError {\n      code\n      message\n      path\n    }\n  }\n}": typeof types.SetDeviceParentDocument,
    "mutation SuspendDevice($input: SuspendDeviceInput!) {\n  suspendDevice(input: $input) {\n    __typename\n    ... on SuspendDeviceSuccess {\n      device {\n        id\n        name\n        state\n        suspendedAt\n        suspensionReason\n      }\n    }\n    ... on UserError {\n      code\n      message\n      path\n    }\n  }\n}": typeof types.SuspendDeviceDocument,
    "query Viewer {\n  viewer {\n    id\n    email\n    tenants {\n      role\n      tenant {\n        id\n        name\n      }\n    }\n  }\n}": typeof types.ViewerDocument,
};
const documents: Documents = {
    "query BuildingHistory($id: ID!, $quantity: Quantity!, $from: DateTime!, $to: DateTime!, $first: Int! = 50, $after: String) {\n  building(id: $id) {\n    id\n    name\n    averageHistory(\n      quantity: $quantity\n      from: $from\n      to: $to\n      first: $first\n      after: $after\n    ) {\n      nodes {\n        quantity\n        unit\n        mean\n        minimum\n        maximum\n        readings\n        devicesReporting\n        devicesExpected\n        windowStart\n        windowEnd\n        asOf\n        lastReadingAt\n        position {\n          incarnation\n          partition\n          sequence\n        }\n        revision\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n}": types.BuildingHistoryDocument,
    "query BuildingNow($id: ID!) {\n  building(id: $id) {\n    id\n    name\n    timeZone\n    averages {\n      quantity\n      unit\n      mean\n      minimum\n      maximum\n      readings\n      devicesReporting\n      devicesExpected\n      windowStart\n      windowEnd\n      asOf\n      lastReadingAt\n      position {\n        incarnation\n        partition\n        sequence\n      }\n      revision\n    }\n  }\n}": types.BuildingNowDocument,
    "query Buildings($first: Int! = 50, $after: String, $tenant: ID) {\n  buildings(first: $first, after: $after, tenant: $tenant) {\n    nodes {\n      id\n      name\n      timeZone\n      tenant {\n        id\n        name\n      }\n    }\n    pageInfo {\n      hasNextPage\n      endCursor\n    }\n  }\n}": types.BuildingsDocument,
    "mutation CreateBuilding($input: CreateBuildingInput!) {\n  createBuilding(input: $input) {\n    __typename\n    ... on CreateBuildingSuccess {\n      building {\n        id\n        name\n        timeZone\n      }\n      spaces {\n        id\n        name\n        kind\n      }\n    }\n    ... on UserError {\n      code\n      message\n      path\n    }\n  }\n}": types.CreateBuildingDocument,
    "query DeviceConfiguration($id: ID!) {\n  device(id: $id) {\n    id\n    name\n    state\n    activatedAt\n    suspendedAt\n    suspensionReason\n    parent {\n      id\n      name\n    }\n    configuration {\n      desired\n      desiredVersion\n      desiredAt\n      reported\n      reportedVersion\n      reportedAt\n    }\n  }\n}": types.DeviceConfigurationDocument,
    "query DeviceDetail($id: ID!) {\n  device(id: $id) {\n    id\n    name\n    model\n    serialNumber\n    state\n    createdAt\n    retiredAt\n    building {\n      id\n      name\n      timeZone\n    }\n    space {\n      id\n      name\n      kind\n    }\n    assignments {\n      channel\n      quantity\n      unit\n      from\n      to\n      point {\n        id\n        unit\n        space {\n          id\n          name\n        }\n      }\n    }\n  }\n}": types.DeviceDetailDocument,
    "mutation IssueDeviceCredential($input: IssueDeviceCredentialInput!) {\n  issueDeviceCredential(input: $input) {\n    __typename\n    ... on IssueDeviceCredentialSuccess {\n      device {\n        id\n        name\n        state\n      }\n      connectionString\n      secretsAlreadyShown\n    }\n    ... on UserError {\n      code\n      message\n      path\n    }\n  }\n}": types.IssueDeviceCredentialDocument,
    "subscription OnBuildingAverage($building: ID!, $quantity: Quantity) {\n  buildingAverage(building: $building, quantity: $quantity) {\n    quantity\n    unit\n    mean\n    minimum\n    maximum\n    readings\n    devicesReporting\n    devicesExpected\n    windowStart\n    windowEnd\n    asOf\n    lastReadingAt\n    position {\n      incarnation\n      partition\n      sequence\n    }\n    revision\n  }\n}": types.OnBuildingAverageDocument,
    "mutation ProvisionDevices($input: ProvisionDevicesInput!) {\n  provisionDevices(input: $input) {\n    __typename\n    ... on ProvisionDevicesSuccess {\n      devices {\n        device {\n          id\n          name\n          model\n          serialNumber\n          state\n        }\n        connectionString\n        secretsAlreadyShown\n      }\n    }\n    ... on UserError {\n      code\n      message\n      path\n    }\n  }\n}": types.ProvisionDevicesDocument,
    "mutation ResumeDevice($input: ResumeDeviceInput!) {\n  resumeDevice(input: $input) {\n    __typename\n    ... on ResumeDeviceSuccess {\n      device {\n        id\n        name\n        state\n        suspendedAt\n      }\n    }\n    ... on UserError {\n      code\n      message\n      path\n    }\n  }\n}": types.ResumeDeviceDocument,
    "mutation RetireDevice($input: RetireDeviceInput!) {\n  retireDevice(input: $input) {\n    __typename\n    ... on RetireDeviceSuccess {\n      device {\n        id\n        name\n        state\n        retiredAt\n      }\n    }\n    ... on UserError {\n      code\n      message\n      path\n    }\n  }\n}": types.RetireDeviceDocument,
    "mutation RotateDeviceCredential($input: RotateDeviceCredentialInput!) {\n  rotateDeviceCredential(input: $input) {\n    __typename\n    ... on RotateDeviceCredentialSuccess {\n      device {\n        id\n        name\n        state\n      }\n      connectionString\n      secretsAlreadyShown\n    }\n    ... on UserError {\n      code\n      message\n      path\n    }\n  }\n}": types.RotateDeviceCredentialDocument,
    "mutation SetDeviceConfiguration($input: SetDeviceConfigurationInput!) {\n  setDeviceConfiguration(input: $input) {\n    __typename\n    ... on SetDeviceConfigurationSuccess {\n      device {\n        id\n        name\n      }\n      configuration {\n        desired\n        desiredVersion\n        desiredAt\n        reported\n        reportedVersion\n        reportedAt\n      }\n    }\n    ... on UserError {\n      code\n      message\n      path\n    }\n  }\n}": types.SetDeviceConfigurationDocument,
    "mutation SetDeviceParent($input: SetDeviceParentInput!) {\n  setDeviceParent(input: $input) {\n    __typename\n    ... on SetDeviceParentSuccess {\n      device {\n        id\n        name\n        parent {\n          id\n          name\n        }\n      }\n    }\n    ... on UserError {\n      code\n      message\n      path\n    }\n  }\n}": types.SetDeviceParentDocument,
    "mutation SuspendDevice($input: SuspendDeviceInput!) {\n  suspendDevice(input: $input) {\n    __typename\n    ... on SuspendDeviceSuccess {\n      device {\n        id\n        name\n        state\n        suspendedAt\n        suspensionReason\n      }\n    }\n    ... on UserError {\n      code\n      message\n      path\n    }\n  }\n}": types.SuspendDeviceDocument,
    "query Viewer {\n  viewer {\n    id\n    email\n    tenants {\n      role\n      tenant {\n        id\n        name\n      }\n    }\n  }\n}": types.ViewerDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query BuildingHistory($id: ID!, $quantity: Quantity!, $from: DateTime!, $to: DateTime!, $first: Int! = 50, $after: String) {\n  building(id: $id) {\n    id\n    name\n    averageHistory(\n      quantity: $quantity\n      from: $from\n      to: $to\n      first: $first\n      after: $after\n    ) {\n      nodes {\n        quantity\n        unit\n        mean\n        minimum\n        maximum\n        readings\n        devicesReporting\n        devicesExpected\n        windowStart\n        windowEnd\n        asOf\n        lastReadingAt\n        position {\n          incarnation\n          partition\n          sequence\n        }\n        revision\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n}"): typeof import('./graphql').BuildingHistoryDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query BuildingNow($id: ID!) {\n  building(id: $id) {\n    id\n    name\n    timeZone\n    averages {\n      quantity\n      unit\n      mean\n      minimum\n      maximum\n      readings\n      devicesReporting\n      devicesExpected\n      windowStart\n      windowEnd\n      asOf\n      lastReadingAt\n      position {\n        incarnation\n        partition\n        sequence\n      }\n      revision\n    }\n  }\n}"): typeof import('./graphql').BuildingNowDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Buildings($first: Int! = 50, $after: String, $tenant: ID) {\n  buildings(first: $first, after: $after, tenant: $tenant) {\n    nodes {\n      id\n      name\n      timeZone\n      tenant {\n        id\n        name\n      }\n    }\n    pageInfo {\n      hasNextPage\n      endCursor\n    }\n  }\n}"): typeof import('./graphql').BuildingsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation CreateBuilding($input: CreateBuildingInput!) {\n  createBuilding(input: $input) {\n    __typename\n    ... on CreateBuildingSuccess {\n      building {\n        id\n        name\n        timeZone\n      }\n      spaces {\n        id\n        name\n        kind\n      }\n    }\n    ... on UserError {\n      code\n      message\n      path\n    }\n  }\n}"): typeof import('./graphql').CreateBuildingDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query DeviceConfiguration($id: ID!) {\n  device(id: $id) {\n    id\n    name\n    state\n    activatedAt\n    suspendedAt\n    suspensionReason\n    parent {\n      id\n      name\n    }\n    configuration {\n      desired\n      desiredVersion\n      desiredAt\n      reported\n      reportedVersion\n      reportedAt\n    }\n  }\n}"): typeof import('./graphql').DeviceConfigurationDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query DeviceDetail($id: ID!) {\n  device(id: $id) {\n    id\n    name\n    model\n    serialNumber\n    state\n    createdAt\n    retiredAt\n    building {\n      id\n      name\n      timeZone\n    }\n    space {\n      id\n      name\n      kind\n    }\n    assignments {\n      channel\n      quantity\n      unit\n      from\n      to\n      point {\n        id\n        unit\n        space {\n          id\n          name\n        }\n      }\n    }\n  }\n}"): typeof import('./graphql').DeviceDetailDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation IssueDeviceCredential($input: IssueDeviceCredentialInput!) {\n  issueDeviceCredential(input: $input) {\n    __typename\n    ... on IssueDeviceCredentialSuccess {\n      device {\n        id\n        name\n        state\n      }\n      connectionString\n      secretsAlreadyShown\n    }\n    ... on UserError {\n      code\n      message\n      path\n    }\n  }\n}"): typeof import('./graphql').IssueDeviceCredentialDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "subscription OnBuildingAverage($building: ID!, $quantity: Quantity) {\n  buildingAverage(building: $building, quantity: $quantity) {\n    quantity\n    unit\n    mean\n    minimum\n    maximum\n    readings\n    devicesReporting\n    devicesExpected\n    windowStart\n    windowEnd\n    asOf\n    lastReadingAt\n    position {\n      incarnation\n      partition\n      sequence\n    }\n    revision\n  }\n}"): typeof import('./graphql').OnBuildingAverageDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation ProvisionDevices($input: ProvisionDevicesInput!) {\n  provisionDevices(input: $input) {\n    __typename\n    ... on ProvisionDevicesSuccess {\n      devices {\n        device {\n          id\n          name\n          model\n          serialNumber\n          state\n        }\n        connectionString\n        secretsAlreadyShown\n      }\n    }\n    ... on UserError {\n      code\n      message\n      path\n    }\n  }\n}"): typeof import('./graphql').ProvisionDevicesDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation ResumeDevice($input: ResumeDeviceInput!) {\n  resumeDevice(input: $input) {\n    __typename\n    ... on ResumeDeviceSuccess {\n      device {\n        id\n        name\n        state\n        suspendedAt\n      }\n    }\n    ... on UserError {\n      code\n      message\n      path\n    }\n  }\n}"): typeof import('./graphql').ResumeDeviceDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation RetireDevice($input: RetireDeviceInput!) {\n  retireDevice(input: $input) {\n    __typename\n    ... on RetireDeviceSuccess {\n      device {\n        id\n        name\n        state\n        retiredAt\n      }\n    }\n    ... on UserError {\n      code\n      message\n      path\n    }\n  }\n}"): typeof import('./graphql').RetireDeviceDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation RotateDeviceCredential($input: RotateDeviceCredentialInput!) {\n  rotateDeviceCredential(input: $input) {\n    __typename\n    ... on RotateDeviceCredentialSuccess {\n      device {\n        id\n        name\n        state\n      }\n      connectionString\n      secretsAlreadyShown\n    }\n    ... on UserError {\n      code\n      message\n      path\n    }\n  }\n}"): typeof import('./graphql').RotateDeviceCredentialDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation SetDeviceConfiguration($input: SetDeviceConfigurationInput!) {\n  setDeviceConfiguration(input: $input) {\n    __typename\n    ... on SetDeviceConfigurationSuccess {\n      device {\n        id\n        name\n      }\n      configuration {\n        desired\n        desiredVersion\n        desiredAt\n        reported\n        reportedVersion\n        reportedAt\n      }\n    }\n    ... on UserError {\n      code\n      message\n      path\n    }\n  }\n}"): typeof import('./graphql').SetDeviceConfigurationDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation SetDeviceParent($input: SetDeviceParentInput!) {\n  setDeviceParent(input: $input) {\n    __typename\n    ... on SetDeviceParentSuccess {\n      device {\n        id\n        name\n        parent {\n          id\n          name\n        }\n      }\n    }\n    ... on UserError {\n      code\n      message\n      path\n    }\n  }\n}"): typeof import('./graphql').SetDeviceParentDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation SuspendDevice($input: SuspendDeviceInput!) {\n  suspendDevice(input: $input) {\n    __typename\n    ... on SuspendDeviceSuccess {\n      device {\n        id\n        name\n        state\n        suspendedAt\n        suspensionReason\n      }\n    }\n    ... on UserError {\n      code\n      message\n      path\n    }\n  }\n}"): typeof import('./graphql').SuspendDeviceDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Viewer {\n  viewer {\n    id\n    email\n    tenants {\n      role\n      tenant {\n        id\n        name\n      }\n    }\n  }\n}"): typeof import('./graphql').ViewerDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}

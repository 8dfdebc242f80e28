/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** An offered device that is to be accepted into a space. */
export type AcceptDeviceTransferInput = {
  /** The building it is put into, of the tenant it was offered to. */
  buildingId: string;
  /** Chosen by you, unique for this change: the same key with the same input gives the same device again, for 24 hours, without its secrets once they were shown. */
  idempotencyKey: string;
  /** What people will call it; null or left out: as its former owner calls it. */
  name?: string | null | undefined;
  /** The space of the building that it stands in. */
  spaceId: string;
  /** The offer’s id. */
  transferId: string;
};

/** An offer to accept. */
export type AcceptGrantInput = {
  /** The code as it was handed over; case, spaces and hyphens do not matter. */
  grantCode: string;
  /** Yours to choose; accepting again changes nothing. */
  idempotencyKey: string;
  /** The tenant that is to have it, of which you administer the access; left out, you yourself. */
  tenantId?: string | null | undefined;
};

/** An invitation to accept, as yourself. */
export type AcceptInvitationInput = {
  /** Yours to choose; accepting again changes nothing. */
  idempotencyKey: string;
  /** The code as it was handed over; case, spaces and hyphens do not matter. */
  invitationCode: string;
};

/** An alert that somebody has seen to. */
export type AcknowledgeAlertInput = {
  /** The alert. */
  alertId: string;
  /** What is being done, up to 500 characters. */
  note?: string | null | undefined;
};

/** Bounds of a value. */
export type AlertBoundsInput = {
  /** On which side of the bounds it is out of order. */
  comparison: AlertComparison;
  /** How long it must hold before the alert is raised, in seconds, up to a day; 0 for at once. */
  forSeconds?: number;
  /** The upper bound, in the quantity’s unit; for ABOVE and OUTSIDE, null for BELOW. */
  high?: number | null | undefined;
  /** How far within the bound it crossed a value must come back to count as in order, in the quantity’s unit: at least 0 and less than the band that is in order. */
  hysteresis?: number;
  /** The lower bound, in the quantity’s unit; for BELOW and OUTSIDE, null for ABOVE. */
  low?: number | null | undefined;
};

/** What happened to an alert. Further changes may come. */
export type AlertChange =
  /** Somebody has seen to it. */
  | 'ACKNOWLEDGED'
  /** It is over; `clearedBecause` says why. */
  | 'CLEARED'
  /** It became worse. */
  | 'ESCALATED'
  /** It began. */
  | 'RAISED';

/** Why an alert is over. Further reasons may come. */
export type AlertClearedBecause =
  /** What was out of order is in order again. */
  | 'BACK_IN_ORDER'
  /** The rule looks for something else now. */
  | 'RULE_CHANGED'
  /** The rule was deleted. */
  | 'RULE_ENDED'
  /** The device was retired or is elsewhere. */
  | 'SUBJECT_GONE';

/** On which side of its bounds a value is out of order. */
export type AlertComparison =
  /** More than `high`. */
  | 'ABOVE'
  /** Less than `low`. */
  | 'BELOW'
  /** Less than `low` or more than `high`. */
  | 'OUTSIDE';

/** What is out of order: exactly one of these. */
export type AlertConditionInput =
  {   /** The rolling average of the rule’s space, or of each building it looks at. */
  average: AlertBoundsInput; deviceSilent?: never; rateOfChange?: never; reading?: never; state?: never; tooFewReporting?: never; }
  |  { average?: never;   /** A device in service that was not heard for too long. */
  deviceSilent: AlertDeviceSilentInput; rateOfChange?: never; reading?: never; state?: never; tooFewReporting?: never; }
  |  { average?: never; deviceSilent?: never;   /** A point whose value changes too fast. */
  rateOfChange: AlertRateOfChangeInput; reading?: never; state?: never; tooFewReporting?: never; }
  |  { average?: never; deviceSilent?: never; rateOfChange?: never;   /** A reading, of each point by itself. */
  reading: AlertBoundsInput; state?: never; tooFewReporting?: never; }
  |  { average?: never; deviceSilent?: never; rateOfChange?: never; reading?: never;   /** A point of a state quantity, such as SMOKE. */
  state: AlertStateInput; tooFewReporting?: never; }
  |  { average?: never; deviceSilent?: never; rateOfChange?: never; reading?: never; state?: never;   /** A space or building of which too few devices report. */
  tooFewReporting: AlertTooFewReportingInput; };

/** Silence of a device. */
export type AlertDeviceSilentInput = {
  /** For how many times its expected interval a device was not heard, 1 to 1,000. */
  intervals?: number;
};

/** Which way a value has to go. */
export type AlertDirection =
  /** Up or down. */
  | 'ANY'
  /** Down. */
  | 'FALLING'
  /** Up. */
  | 'RISING';

/** How fast a value may change. */
export type AlertRateOfChangeInput = {
  /** By how much, in the quantity’s unit; more than 0. */
  change: number;
  /** Which way. */
  direction?: AlertDirection;
  /** Within how long, in seconds, 1 to a day. */
  withinSeconds: number;
};

/** Where a rule looks: everywhere in its tenant, narrowed by what is given. */
export type AlertScopeInput = {
  /** In this building only. */
  buildingId?: string | null | undefined;
  /** At this device only, wherever it is moved. */
  deviceId?: string | null | undefined;
  /** In this space, and all that lies in it, only; with its building. */
  spaceId?: string | null | undefined;
};

/** How bad it is, the worst first, in the words of ITU-T X.733. */
export type AlertSeverity =
  /** Somebody must act at once. */
  | 'CRITICAL'
  /** Somebody must act soon. */
  | 'MAJOR'
  /** Somebody should act, to prevent worse. */
  | 'MINOR'
  /** It may become worse. */
  | 'WARNING';

/** Whether it still holds. */
export type AlertState =
  /** It holds. */
  | 'ACTIVE'
  /** It is over. */
  | 'CLEARED';

/** A state that is out of order. */
export type AlertStateInput = {
  /** How long it must hold before the alert is raised, in seconds, up to a day; 0 for at once. */
  forSeconds?: number;
  /** The value that is out of order, such as 1 for smoke. */
  value?: number;
};

/** Too few devices that report. */
export type AlertTooFewReportingInput = {
  /** How long it must hold before the alert is raised, in seconds, up to a day; 0 for at once. */
  forSeconds?: number;
  /** The share of the expected devices, more than 0 and at most 1; fewer are too few. */
  share: number;
};

/** What an API key may do, where its maker may do it too. Each includes READ_BUILDINGS. None administers access, hands devices or files over, or makes webhooks. */
export type ApiKeyPermission =
  /** Reads and acknowledges alerts. */
  | 'ACKNOWLEDGE_ALERTS'
  /** Tells devices how to be and how often to send. */
  | 'CONFIGURE_DEVICES'
  /** Creates buildings, where the key is not limited to some. */
  | 'CREATE_BUILDINGS'
  /** Moves, replaces, suspends and retires devices and gives them new credentials. */
  | 'MAINTAIN_DEVICES'
  /** Reads, makes, changes and deletes rules of alerts. */
  | 'MANAGE_ALERT_RULES'
  /** Provisions and claims devices in buildings. */
  | 'PROVISION_DEVICES'
  /** Alerts and their rules; not those that tell whether somebody is there. */
  | 'READ_ALERTS'
  /** The audit logs of tenant and buildings. */
  | 'READ_AUDIT_LOG'
  /** Averages, now, live and over time; those that tell of presence with READ_PRESENCE. */
  | 'READ_AVERAGES'
  /** The names and time zones of tenant, buildings and spaces. */
  | 'READ_BUILDINGS'
  /** What was refused of devices’ messages, and why. */
  | 'READ_DEAD_LETTERS'
  /** Devices, their health and their live status. */
  | 'READ_DEVICES'
  /** The counts of what was accepted and stored; with READ_PRESENCE, since they are of all readings. */
  | 'READ_INGESTION'
  /** States and alerts that tell whether somebody is there; beside another permission whatever of it tells of presence. */
  | 'READ_PRESENCE'
  /** Single readings, their history and excursions, and exports of them; those that tell of presence with READ_PRESENCE. */
  | 'READ_READINGS'
  /** States that do not tell whether somebody is there, e.g. smoke. */
  | 'READ_STATES'
  /** Registers devices in the tenant’s stock, one by one or as a job. */
  | 'REGISTER_DEVICES'
  /** Registers, lists and retires the documents of clients, where the key is not limited to some buildings. */
  | 'REGISTER_DOCUMENTS'
  /** Has what was refused judged again. */
  | 'REPLAY_DEAD_LETTERS';

/** Somebody who is to have access to the files of a tenant’s cold store. */
export type ApproveColdStoreAccessInput = {
  /** Who: the id that `viewer` tells that person. One of the tenant’s ANALYSTs, MANAGERs or OWNERs, you among them. */
  personId: string;
  /** The tenant; it may keep 100 approvals, those that ended within a day among them. */
  tenantId: string;
  /** Until when, at most 366 days ahead; in place of what was approved of that person before. */
  until: string;
};

/** Why a subscription delivers a value. More may come: pass over what you do not know. */
export type AverageDelivery =
  /** It is the record of a minute, to which readings came late: it replaces the one before. */
  | 'CORRECTED'
  /** It is the value now. */
  | 'LIVE'
  /** It is the record of a minute since `after`, from before the value now. */
  | 'MISSED';

/** A job that is to be ended. */
export type CancelJobInput = {
  /** The job. */
  jobId: string;
};

/** A change of an alert rule: what is left out stays. */
export type ChangeAlertRuleInput = {
  /** What it looks for. */
  condition?: AlertConditionInput | null | undefined;
  /** Whether it looks at all. */
  enabled?: boolean | null | undefined;
  /** What people call it. */
  name?: string | null | undefined;
  /** What is looked at: a continuous quantity, or a state for a state condition; null for `deviceSilent`, which is of none. Null is a value here. */
  quantity?: Quantity | null | undefined;
  /** The rule. */
  ruleId: string;
  /** Where it looks. */
  scope?: AlertScopeInput | null | undefined;
  /** How bad its alerts are from now on. */
  severity?: AlertSeverity | null | undefined;
};

/** What a member is to be from now on. */
export type ChangeMemberRoleInput = {
  /** The member. */
  personId: string;
  /** What they are to be. */
  role: MemberRole;
  /** For a resident (VIEWER): the spaces in which alone the role holds, of at most 20 buildings; left out: in all of the tenant. */
  spaces?: Array<SpacesOfBuildingInput> | null | undefined;
  /** The tenant. */
  tenantId: string;
};

/** A device that is to be claimed by what is printed on it. */
export type ClaimDeviceInput = {
  /** The building it is put into. */
  buildingId: string;
  /** Its one-time claim code, as printed on it or in its QR code: 26 letters and digits. Hyphens, spaces and case don’t matter. */
  claimCode: string;
  /** Chosen by you, unique for this change: the same key with the same input gives the same device again, for 24 hours, without its secrets once they were shown. */
  idempotencyKey: string;
  /** What people will call it. */
  name: string;
  /** Its serial number, as printed on it or in its QR code. */
  serialNumber: string;
  /** The space of the building that it stands in. */
  spaceId: string;
};

/** A new alert rule. */
export type CreateAlertRuleInput = {
  /** What it looks for. */
  condition: AlertConditionInput;
  /** Whether it looks at all. */
  enabled?: boolean;
  /** Your own key for this rule: repeating the call with it makes no second one. */
  idempotencyKey: string;
  /** What people call it; not unique. */
  name: string;
  /** What is looked at: a continuous quantity, or a state for a state condition; null for `deviceSilent`, which is of none. */
  quantity?: Quantity | null | undefined;
  /** Where it looks; null or left out for the whole tenant. */
  scope?: AlertScopeInput | null | undefined;
  /** How bad its alerts are. */
  severity: AlertSeverity;
  /** Whose it is; a tenant may have 200. */
  tenantId: string;
};

/** A key for a program. */
export type CreateApiKeyInput = {
  /** In these buildings alone, 1 to 100; null or left out for all of the tenant. */
  buildingIds?: Array<string> | null | undefined;
  /** It may send these documents alone, 1 to 200: each `sha256:` and the 64 lower-case hexadecimal digits of the exact text’s hash. Null or left out for any. */
  documents?: Array<string> | null | undefined;
  /** After how many days it ends, 1 to 366. */
  expiresInDays?: number;
  /** Your own key for this call: repeating the call with it makes no second one. */
  idempotencyKey: string;
  /** What people call it; not unique. */
  name: string;
  /** What it may do: at least one, each held by you. */
  permissions: Array<ApiKeyPermission>;
  /** Where it is good; a tenant may have 200 standing keys. */
  tenantId: string;
};

/** A building that is to be created, with its spaces. */
export type CreateBuildingInput = {
  /** Chosen by you, unique for this building: the same key with the same input gives the same building again, for 24 hours. */
  idempotencyKey: string;
  /** What people call it. */
  name: string;
  /** Its levels, rooms and zones; possibly none. */
  spaces: Array<NewSpaceInput>;
  /** Who will own it. */
  tenantId: string;
  /** Where it stands. */
  timeZone: string;
};

/** An enrollment group that is to be created. */
export type CreateEnrollmentGroupInput = {
  /** Chosen by you, unique for this group: the same key with the same input gives the same group again, for 24 hours, without its keys. */
  idempotencyKey: string;
  /** What people call it. */
  name: string;
  /** The manufacturer whose it is. */
  tenantId: string;
};

/** A tenant to create. */
export type CreateTenantInput = {
  /** How long the invitation of its first owner stands, in hours, 1 to 720. */
  expiresInHours?: number;
  /** Yours to choose. The same key with the same input gives the same tenant again, for 24 hours. */
  idempotencyKey: string;
  /** What its people call it, 1 to 200 characters. */
  name: string;
  /** Noted on the invitation of its first owner, e.g. whom you give the code to; its owners see it. */
  ownerNote?: string | null | undefined;
};

/** A server that is to be told of alerts. */
export type CreateWebhookInput = {
  /** Of these buildings only, 1 to 100; null or left out for all of the tenant. */
  buildingIds?: Array<string> | null | undefined;
  /** Your own key for this webhook: repeating the call with it makes no second one. */
  idempotencyKey: string;
  /** Alerts as bad as this, or worse, are told of. */
  minimumSeverity?: AlertSeverity;
  /** What people call it; not unique. */
  name: string;
  /** Whose alerts; a tenant may have 20. */
  tenantId: string;
  /** Where it is sent to: an https address of a public host, on port 443 or from 1024 on. Redirects are not followed. */
  url: string;
};

/** What came of a dead letter that was judged again. */
export type DeadLetterReplayOutcome =
  /** All its readings went into the stream. */
  | 'ACCEPTED'
  /** Some of its readings went into the stream, others were refused again. */
  | 'PARTLY_ACCEPTED'
  /** It was refused again. */
  | 'REFUSED';

/** A rule to delete. */
export type DeleteAlertRuleInput = {
  /** The rule. */
  ruleId: string;
};

/** A webhook to delete. */
export type DeleteWebhookInput = {
  /** The webhook. */
  webhookId: string;
};

/** A credential for a device: the kind, and the parts that belong to it. */
export type DeviceCredentialInput = {
  /** For `X509_CA`, and needed there: the certificate of the authority in PEM, one certificate and nothing else, at most 8 kB. */
  authority?: string | null | undefined;
  /** Which kind it is. */
  kind: DeviceCredentialKind;
  /** For `X509_THUMBPRINT`, and needed there: the SHA-256 of the certificate’s DER form in 64 hexadecimal digits, with or without colons. */
  primaryThumbprint?: string | null | undefined;
  /** For `X509_THUMBPRINT`: of a second certificate that is valid as well. */
  secondaryThumbprint?: string | null | undefined;
};

/** How a device proves who it is. Further kinds may come. */
export type DeviceCredentialKind =
  /** By SAS tokens that it signs with a key of its own. */
  | 'SYMMETRIC_KEY'
  /** By any certificate in its name (its id as the common name) from an authority that was registered. */
  | 'X509_CA'
  /** By a certificate that was registered by its thumbprint. */
  | 'X509_THUMBPRINT';

/** How a device’s messages reach the platform; of a relayed device, how those of its field gateway do. */
export type DeviceProtocol =
  /** AMQP 1.0, with TLS or without. */
  | 'AMQP'
  /** HTTP, with TLS or without. */
  | 'HTTP'
  /** MQTT 3.1.1, with TLS or without. */
  | 'MQTT';

/** Where a device is in its life. */
export type DeviceState =
  /** Has sent. */
  | 'ACTIVE'
  /** Has its place and credentials and may send; not heard of yet. */
  | 'PROVISIONED'
  /** Known by its serial number, with no place and no credentials yet. */
  | 'REGISTERED'
  /** Out of service for good: its credentials are destroyed, its history stays. */
  | 'RETIRED'
  /** May not send until somebody lifts it. */
  | 'SUSPENDED';

/** How an excursion ended. */
export type ExcursionEnd =
  /** The range of time, or the present, ends before it is known. */
  | 'ONGOING'
  /** The next value was back in range. */
  | 'RETURNED'
  /** No value followed for longer than the silence that ends an excursion. */
  | 'SILENT';

/** Whose excursions. */
export type ExcursionsBy =
  /** Of the rolling five-minute average of each building, at each whole minute, from the readings that were asked for. A minute whose window holds no reading ends an excursion. */
  | 'BUILDING_AVERAGE'
  /** Of each point. A silence of more than three of its usual intervals, and of a minute at least, ends an excursion; its usual interval is the median between readings of one UTC day in the range. */
  | 'POINT';

/** How the files of an export are written. Further formats may come. */
export type ExportFormat =
  /** By RFC 4180, in UTF-8, with a header; instants in ISO 8601, UTC. A text that a spreadsheet would take for a formula is given an apostrophe before it. */
  | 'CSV'
  /** Compressed with zstd; instants with their zone, UTC. */
  | 'PARQUET';

/** Readings that are wanted as files. Give a building or a tenant, not both. */
export type ExportReadingsInput = {
  /** The building. */
  buildingId?: string | null | undefined;
  /** Only from these devices, at most 50; left out, from any. */
  devices?: Array<string> | null | undefined;
  /** How the files are to be written. */
  format: ExportFormat;
  /** Readings observed from this instant on. */
  from: string;
  /** Chosen by you, unique for this export: the same key with the same input gives the same export again, for 24 hours. */
  idempotencyKey: string;
  /** Only these quantities; left out, all that you may see. */
  quantities?: Array<Quantity> | null | undefined;
  /** Only in these spaces of the building and those that lie in them, at most 50; left out, anywhere. */
  spaces?: Array<string> | null | undefined;
  /** The tenant, for all of its buildings. */
  tenantId?: string | null | undefined;
  /** Readings observed before this instant, at most 366 days later. */
  to: string;
};

/** Which side of grants a tenant is on. */
export type GrantDirection =
  /** It shares what it owns. */
  | 'GIVEN'
  /** Others share with it. */
  | 'RECEIVED';

/** How far a grant is. */
export type GrantState =
  /** It holds. */
  | 'ACTIVE'
  /** One of the two sides has ended it. */
  | 'ENDED'
  /** Its date has passed, or it was not accepted in time. */
  | 'EXPIRED'
  /** Nobody has accepted it yet. */
  | 'OFFERED';

/** Whom something is shared with. */
export type GranteeType =
  /** One person, whatever they belong to. */
  | 'PERSON'
  /** A tenant: each of its members may do what both the grant and their own role there allow. */
  | 'TENANT';

/** What became of an invitation. */
export type InvitationState =
  /** Somebody has come by it. */
  | 'ACCEPTED'
  /** Nobody came in time. */
  | 'EXPIRED'
  /** Whoever has its code can accept it. */
  | 'OPEN'
  /** It was withdrawn. */
  | 'REVOKED';

/** Whom to let into a tenant, as what. */
export type InviteMemberInput = {
  /** How long it stands, in hours, 1 to 720. */
  expiresInHours?: number;
  /** Yours to choose. The same key with the same input gives the same invitation again, for 24 hours. */
  idempotencyKey: string;
  /** For those who administer access, e.g. whom you give the code to. */
  note?: string | null | undefined;
  /** What whoever accepts it is. */
  role: MemberRole;
  /** For a resident (VIEWER): the spaces in which alone the role holds, of at most 20 buildings; left out: in all of the tenant. */
  spaces?: Array<SpacesOfBuildingInput> | null | undefined;
  /** The tenant. */
  tenantId: string;
};

/** What a credential to the files of a tenant’s cold store is wanted for. */
export type IssueColdStoreAccessInput = {
  /** Only from this IPv4 address, or a range of them: `203.0.113.0-203.0.113.255`. Left out, from any. The local stand-in does not look at it. */
  addresses?: string | null | undefined;
  /** How long it is to be good, `PT1M` to `PT24H`. It ends earlier where the approval or your role does. */
  expiresIn?: unknown;
  /** Chosen by you, unique for this credential: the same key with the same input gives no second one, for 24 hours, and shows no token. */
  idempotencyKey: string;
  /** Why, for the audit log; at most 500 characters. */
  reason: string;
  /** The tenant. */
  tenantId: string;
};

/** A device that is to have another credential. */
export type IssueDeviceCredentialInput = {
  /** What it is to have. */
  credential: DeviceCredentialInput;
  /** The device. */
  deviceId: string;
  /** Chosen by you, unique for this credential: the same key with the same input changes nothing more, for 24 hours, and shows no secret. */
  idempotencyKey: string;
};

/** What a job does. Further kinds may come. */
export type JobKind =
  /** Writes readings into files; a row is a stretch of time. */
  | 'EXPORT_READINGS'
  /** Provisions devices into spaces of a building. */
  | 'PROVISION_DEVICES'
  /** Puts devices into a tenant’s stock, each with a claim code. */
  | 'REGISTER_DEVICES'
  /** Judges dead letters again. */
  | 'REPLAY_DEAD_LETTERS';

/** Which rows of a job. */
export type JobRowOnly =
  /** Those that were refused. */
  | 'FAILED';

/** How far a job is. */
export type JobState =
  /** Somebody ended it. The rows told in `rows` were worked off, the rest was not. */
  | 'CANCELLED'
  /** Broken off: `error` says why. The rows told in `rows` were worked off, the rest was not. */
  | 'FAILED'
  /** Not begun: it waits for its turn. */
  | 'QUEUED'
  /** Begun. */
  | 'RUNNING'
  /** Every row was worked off; rows may have been refused, see `failed` and `rows`. */
  | 'SUCCEEDED';

/** What somebody can be made in a tenant: as the `Role` of that name. */
export type MemberRole =
  /** Asks questions of what was measured and exports it. */
  | 'ANALYST'
  /** Buildings, rules, and the devices’ configuration. */
  | 'MANAGER'
  /** Everything, the administration of access included. */
  | 'OWNER'
  /** Looks after devices and sees their health; no occupants’ data. */
  | 'TECHNICIAN'
  /** Reads; a resident only their own spaces and the building’s averages. */
  | 'VIEWER';

/** A device that is to be moved to another space. */
export type MoveDeviceInput = {
  /** The building it is moved to, of the same tenant; null or left out for the one it stands in. */
  buildingId?: string | null | undefined;
  /** The device. */
  deviceId: string;
  /** The space of that building. */
  spaceId: string;
};

/** A device that is to be provisioned. */
export type NewDeviceInput = {
  /** Its model, which says what it measures: `thermometer`, `hygrometer`, `co2-meter`, `light-meter`, `motion-meter`, `climate-sensor`, `room-sensor`, `fahrenheit-thermometer`, `smoke-detector`, `intruder-alarm`, `occupancy-sensor`, `lorawan-room-sensor`, `lorawan-probe-pair`, `modbus-climate-transmitter`, `modbus-room-station`, `line-alarm-panel`. */
  model: string;
  /** What people call it. */
  name: string;
  /** What its manufacturer printed on it, unique per manufacturer; null or left out where there is none. */
  serialNumber?: string | null | undefined;
  /** The space of the building that it stands in. */
  spaceId: string;
};

/** A device that was not known before, as a replacement. */
export type NewReplacementInput = {
  /** Its model, as in `NewDeviceInput`. */
  model: string;
  /** What its manufacturer printed on it, unique per manufacturer; null or left out where there is none. */
  serialNumber?: string | null | undefined;
};

/** A space of a building that is to be created. */
export type NewSpaceInput = {
  /** Level, room or zone. */
  kind: SpaceKind;
  /** What people call it. */
  name: string;
  /** The space it lies in, by its index in the same list, from 0; left out or null for one directly in the building. */
  parent?: number | null | undefined;
};

/** A device that is to be offered to another tenant. */
export type OfferDeviceTransferInput = {
  /** The device. */
  deviceId: string;
  /** For how long the offer stands, in hours: 1 to 720. */
  expiresInHours: number;
  /** The tenant it is offered to. Whether there is such a tenant, you are not told. */
  toTenantId: string;
};

/** What to share, and how. */
export type OfferGrantInput = {
  /** The building. */
  buildingId: string;
  /** How long the offer stands, in hours, 1 to 720. */
  expiresInHours?: number;
  /** Yours to choose. The same key with the same input gives the same offer again, for 24 hours. */
  idempotencyKey: string;
  /** For yourself, e.g. whom you give the code to. */
  note?: string | null | undefined;
  /** Only these quantities; left out, all. For ANALYST and VIEWER: who keeps devices sees them whole. */
  quantities?: Array<Quantity> | null | undefined;
  /** What may be done there. */
  role: SharedRole;
  /** Only this space and those that lie in it; left out, all of the building. */
  spaceId?: string | null | undefined;
  /** Whom it is for. */
  to: GranteeType;
  /** When it ends by itself; left out, not before it is revoked. */
  until?: string | null | undefined;
};

/** How somebody reached the API. */
export type OriginTransport =
  /** A request over HTTP. */
  | 'HTTP'
  /** An operation whose answer comes as server-sent events. */
  | 'SSE'
  /** An operation over a WebSocket. */
  | 'WEBSOCKET';

/** Devices that are to be provisioned into a building. */
export type ProvisionDevicesInput = {
  /** The building they stand in. */
  buildingId: string;
  /** The devices, 1 to 10,000. */
  devices: Array<NewDeviceInput>;
  /** Chosen by you, unique for these devices: the same key with the same input gives the same devices again, for 24 hours, without their secrets. */
  idempotencyKey: string;
};

/** What is measured, named after Brick, with its unit (UCUM) and physical range. Continuous quantities have averages; states have none. Further quantities may come. */
export type Quantity =
  /** Temperature of the air, in `Cel`, -60 to 85. */
  | 'AIR_TEMPERATURE'
  /** Charge left in the device’s battery, in `%`, 0 to 100. */
  | 'BATTERY_LEVEL'
  /** Carbon dioxide in the air, by volume, in `[ppm]`, 0 to 50000. */
  | 'CO2_LEVEL'
  /** Light that falls on the sensor, in `lx`, 0 to 200000. */
  | 'ILLUMINANCE'
  /** Intrusion detected (1) or not (0). A state. */
  | 'INTRUSION'
  /** How much movement the sensor sees, in its maker’s own measure, in `1`, at least 0. */
  | 'MOTION_LEVEL'
  /** Somebody present (1) or not (0). A state. */
  | 'OCCUPANCY'
  /** Relative humidity of the air, in `%`, 0 to 100. */
  | 'RELATIVE_HUMIDITY'
  /** Smoke detected (1) or not (0). A state. */
  | 'SMOKE';

/** A delivery to send again. */
export type RedeliverWebhookInput = {
  /** The delivery. */
  deliveryId: string;
  /** The webhook. */
  webhookId: string;
};

/** Why the gateway did not take what a device sent. Further codes may come. */
export type RefusalCode =
  /** A device named another one that it may not relay for, or that does not exist. */
  | 'CHILD_NOT_YOURS'
  /** The channel had no place when it was observed. */
  | 'NOT_ASSIGNED'
  /** The time cannot be read. */
  | 'OBSERVED_AT_INVALID'
  /** Observed more than 30 seconds after it was received. */
  | 'OBSERVED_IN_FUTURE'
  /** Observed before the oldest instant that is taken. */
  | 'OBSERVED_TOO_OLD'
  /** The message, or a record of it, cannot be read. */
  | 'PAYLOAD_INVALID'
  /** The quantity is not measured in that unit. */
  | 'UNIT_MISMATCH'
  /** The device has no channel of that name. */
  | 'UNKNOWN_CHANNEL'
  /** The value is no number, nor true or false for a state. */
  | 'VALUE_NOT_A_NUMBER'
  /** The value is no finite number. */
  | 'VALUE_NOT_FINITE'
  /** The value lies outside the quantity’s physical range. */
  | 'VALUE_OUT_OF_RANGE';

/** Devices that are to be put into a tenant’s stock. */
export type RegisterDevicesInput = {
  /** The devices, 1 to 10,000. */
  devices: Array<RegisteredDeviceInput>;
  /** The enrollment group whose keys theirs were derived from in the factory; null or left out where each gets its keys when it is claimed. */
  enrollmentGroupId?: string | null | undefined;
  /** Chosen by you, unique for these devices: the same key with the same input gives the same job again, for 24 hours. */
  idempotencyKey: string;
  /** The tenant that makes or sells them. */
  tenantId: string;
};

/** Documents of one client of a tenant. */
export type RegisterDocumentsInput = {
  /** The name of the client that it is built into, e.g. `dashboard` or `app 4.2`; 1 to 200 characters. */
  client: string;
  /** The documents: 1 to 500 a call, 1 MiB together; at most 5000 of a tenant. */
  documents: Array<TrustedDocumentInput>;
  /** Of your choice, 1 to 200 characters: the same call with the same key, within 24 hours, has no second effect. */
  idempotencyKey: string;
  /** The tenant. The documents can be asked for by those who belong to it. */
  tenantId: string;
};

/** A device that is to be registered. */
export type RegisteredDeviceInput = {
  /** Its model, which says what it measures: `thermometer`, `hygrometer`, `co2-meter`, `light-meter`, `motion-meter`, `climate-sensor`, `room-sensor`, `fahrenheit-thermometer`, `smoke-detector`, `intruder-alarm`, `occupancy-sensor`, `lorawan-room-sensor`, `lorawan-probe-pair`, `modbus-climate-transmitter`, `modbus-room-station`, `line-alarm-panel`. */
  model: string;
  /** What is printed on it, unique per manufacturer. */
  serialNumber: string;
};

/** A device in stock that is to have a new claim code. */
export type ReissueClaimCodeInput = {
  /** The device. */
  deviceId: string;
  /** Chosen by you, unique for this code: the same key makes no further code, for 24 hours, and shows none. */
  idempotencyKey: string;
};

/** A member who is to go. */
export type RemoveMemberInput = {
  /** The member; yourself, where you leave. */
  personId: string;
  /** The tenant. */
  tenantId: string;
};

/** A device and what takes its place: either a new device or one from stock. */
export type ReplaceDeviceInput = {
  /** The device that is replaced. */
  deviceId: string;
  /** A device from a manufacturer’s stock; null or left out where it is new. */
  fromStock?: StockReplacementInput | null | undefined;
  /** Chosen by you, unique for this change: the same key with the same input gives the same device again, for 24 hours, without its secrets once they were shown. */
  idempotencyKey: string;
  /** What people will call it; null or left out: as the replaced one is called. */
  name?: string | null | undefined;
  /** A device that was not known before; null or left out where it comes from stock. */
  newDevice?: NewReplacementInput | null | undefined;
};

/** Dead letters that are to be judged again. Give a building or a tenant, not both. */
export type ReplayDeadLettersInput = {
  /** The building that lists them. */
  buildingId?: string | null | undefined;
  /** Left out, all of them. */
  filter?: ReplayFilterInput | null | undefined;
  /** Chosen by you, unique for this replay: the same key with the same input gives the same job again, for 24 hours. */
  idempotencyKey: string;
  /** The tenant that lists them, for those of devices without a place. */
  tenantId?: string | null | undefined;
};

/** Which dead letters: those that fit all that is given. */
export type ReplayFilterInput = {
  /** Those refused for this reason. */
  code?: RefusalCode | null | undefined;
  /** Those of this device. */
  deviceId?: string | null | undefined;
  /** Those received at or after this instant. */
  from?: string | null | undefined;
  /** Just these, at most 10,000. */
  ids?: Array<string> | null | undefined;
  /** Those received before this instant. */
  to?: string | null | undefined;
};

/** A suspended device that is to go on. */
export type ResumeDeviceInput = {
  /** The device. */
  deviceId: string;
};

/** A device that is to be retired. */
export type RetireDeviceInput = {
  /** The device. */
  deviceId: string;
};

/** Documents that one client of a tenant asks for no more. */
export type RetireDocumentsInput = {
  /** The name of the client that it is built into, e.g. `dashboard` or `app 4.2`; 1 to 200 characters. */
  client: string;
  /** Ids of documents, 1 to 500 a call. */
  documentIds: Array<string>;
  /** The tenant. */
  tenantId: string;
};

/** A device that is to be taken out of stock. */
export type RetireRegisteredDeviceInput = {
  /** The device. */
  deviceId: string;
};

/** A key to revoke. */
export type RevokeApiKeyInput = {
  /** The key. */
  apiKeyId: string;
};

/** Somebody who is to have no more access to the files of a tenant’s cold store. */
export type RevokeColdStoreAccessInput = {
  /** Whose approval ends. */
  personId: string;
  /** The tenant. */
  tenantId: string;
};

/** A grant to end. */
export type RevokeGrantInput = {
  /** The grant. */
  grantId: string;
};

/** An invitation to withdraw. */
export type RevokeInvitationInput = {
  /** The invitation. */
  invitationId: string;
};

/** What somebody may do in a tenant. */
export type Role =
  /** Asks questions of what was measured and exports it. */
  | 'ANALYST'
  /** Buildings, rules, and the devices’ configuration. */
  | 'MANAGER'
  /** Runs the platform; sees no telemetry unless granted for a limited time. */
  | 'OPERATOR'
  /** Everything, the administration of access included. */
  | 'OWNER'
  /** Provisions and replaces devices and sees their health. */
  | 'TECHNICIAN'
  /** Reads. */
  | 'VIEWER';

/** A device whose credential is to be renewed. */
export type RotateDeviceCredentialInput = {
  /** The device. */
  deviceId: string;
  /** Chosen by you, unique for this rotation: the same key with the same input rotates nothing more, for 24 hours, and shows no secret. */
  idempotencyKey: string;
  /** Whether the credential that the device uses now is refused at once, too: for one that has leaked. By default it stays valid until the next rotation, so that the device takes the new one over without a gap. */
  revokeOther?: boolean;
  /** For a device with registered certificates, and needed there: the thumbprint of its next one. Left out for a device with keys, which are made for it. */
  thumbprint?: string | null | undefined;
};

/** A webhook that is to have a new secret. */
export type RotateWebhookSecretInput = {
  /** Your own key for this rotation: repeating the call with it rotates nothing. */
  idempotencyKey: string;
  /** Whether the secret so far signs no more at once, as for one that has leaked; otherwise both sign for a day. */
  revokeOther?: boolean;
  /** The webhook. */
  webhookId: string;
};

/** What a device is to be told. */
export type SetDeviceConfigurationInput = {
  /** Merged into what it was told before (JSON Merge Patch, RFC 7396): null removes, objects are merged, anything else replaces. In all at most 32 kB and 10 levels; keys without control characters, `.`, `$` and spaces; texts of at most 4 kB. */
  desired: Record<string, unknown>;
  /** The device. */
  deviceId: string;
  /** The `desiredVersion` that this is meant to change, 0 for the first: with another one it is refused. Null or left out to change whatever there is. */
  expectedVersion?: number | null | undefined;
};

/** How often a device is expected to send. */
export type SetDeviceIntervalInput = {
  /** The device. */
  deviceId: string;
  /** In seconds, 1 to 604,800 (a week). Null or left out for what is usual, a minute. */
  intervalSeconds?: number | null | undefined;
};

/** A device and the field gateway that is to relay for it. */
export type SetDeviceParentInput = {
  /** The device. */
  deviceId: string;
  /** The field gateway: another device in the same building that has no parent itself. Null or left out for none. */
  parentId?: string | null | undefined;
};

/** What tells of presence in a building, where that is its owner’s to say. */
export type SetPresenceRevealingInput = {
  /** The building. */
  buildingId: string;
  /** All that is to be hidden of `CO2_LEVEL` and `ILLUMINANCE`; none, where neither is. The others cannot be chosen: they always tell of presence, or never. */
  quantities: Array<Quantity>;
};

/** What somebody may do in what is shared with them: as the `Role` of that name, there alone. */
export type SharedRole =
  /** Asks questions of what was measured and exports it. */
  | 'ANALYST'
  /** Rules, and the devices’ configuration. */
  | 'MANAGER'
  /** Looks after devices and sees their health; no occupants’ data. */
  | 'TECHNICIAN'
  /** Reads averages, and states that do not tell whether somebody is there. */
  | 'VIEWER';

/** What kind of place a space is, in RealEstateCore’s words. */
export type SpaceKind =
  /** A storey. */
  | 'LEVEL'
  /** A room. */
  | 'ROOM'
  /** A part of a room or several rooms that are treated alike. */
  | 'ZONE';

/** Spaces of one building in which a role is to hold. */
export type SpacesOfBuildingInput = {
  /** The building, of the same tenant. */
  buildingId: string;
  /** The spaces, 1 to 100; those that lie in them come with them. */
  spaceIds: Array<string>;
};

/** A device from a manufacturer’s stock, as a replacement. */
export type StockReplacementInput = {
  /** Its one-time claim code, as printed on it or in its QR code. */
  claimCode: string;
  /** Its serial number, as printed on it or in its QR code. */
  serialNumber: string;
};

/** A device that is to be suspended. */
export type SuspendDeviceInput = {
  /** The device. */
  deviceId: string;
  /** Why, for those who look at it later: at most 500 characters. Null or left out for none. */
  reason?: string | null | undefined;
};

/** Who said when a reading was observed. */
export type TimeSource =
  /** The device. */
  | 'DEVICE'
  /** The gateway, by its clock at receipt, because the device gave no time. */
  | 'GATEWAY';

/** A document that a client is built with. */
export type TrustedDocumentInput = {
  /** `sha256:` and the SHA-256 of the document’s exact text in UTF-8, as 64 lower-case hex digits (GraphQL over HTTP, appendix A). */
  documentId: string;
  /** The document itself: at least one operation, with the fragments that it uses. */
  text: string;
};

/** Why a mutation was refused. Further codes may come; treat one you do not know as a refusal. */
export type UserErrorCode =
  /** Something else changed the object at the same time, or holds what must be unique. */
  | 'CONFLICT'
  /** You can see the object but may not change it in this way. */
  | 'FORBIDDEN'
  /** The idempotency key was used before with another input. */
  | 'IDEMPOTENCY_KEY_REUSED'
  /** A part of the input is not acceptable; `path` says which. */
  | 'INVALID_INPUT'
  /** More than may be asked for at once, or more than the tenant may have. */
  | 'LIMIT_EXCEEDED'
  /** There is no such object, or it is not yours to see; the two are not told apart. */
  | 'NOT_FOUND'
  /** Too many attempts went wrong: wait before the next. */
  | 'TOO_MANY_ATTEMPTS'
  /** The object is in a state that does not admit this; the message names it. */
  | 'WRONG_STATE';

/** Where a delivery is on its way. */
export type WebhookDeliveryState =
  /** The webhook was deleted, or nobody with the right answers for it. */
  | 'CANCELLED'
  /** It was given up, after about a day or because the receiver answered 410. */
  | 'DEAD'
  /** The receiver has taken it. */
  | 'DELIVERED'
  /** It is sent, again if need be. */
  | 'PENDING';

/** A device whose offer is to be taken back. */
export type WithdrawDeviceTransferInput = {
  /** The device. */
  deviceId: string;
};

export type AcceptDeviceTransferMutationVariables = Exact<{
  input: AcceptDeviceTransferInput;
}>;


export type AcceptDeviceTransferMutation = { acceptDeviceTransfer:
    | { __typename: 'AcceptDeviceTransferSuccess', connectionString: string | null, secretsAlreadyShown: boolean, keyedByManufacturer: boolean, device: { id: string, name: string, model: string, serialNumber: string | null, state: DeviceState, building: { id: string }, space: { id: string } } }
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type AcceptGrantMutationVariables = Exact<{
  input: AcceptGrantInput;
}>;


export type AcceptGrantMutation = { acceptGrant:
    | { __typename: 'AcceptGrantSuccess', grant: { id: string, ownerName: string, buildingId: string, spaceId: string | null, quantities: Array<Quantity> | null, role: SharedRole, until: string | null } }
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type AcceptInvitationMutationVariables = Exact<{
  input: AcceptInvitationInput;
}>;


export type AcceptInvitationMutation = { acceptInvitation:
    | { __typename: 'AcceptInvitationSuccess', tenantId: string, tenantName: string, role: Role, spaces: Array<{ buildingId: string, spaceIds: Array<string> }> | null }
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type AcknowledgeAlertMutationVariables = Exact<{
  input: AcknowledgeAlertInput;
}>;


export type AcknowledgeAlertMutation = { acknowledgeAlert:
    | { __typename: 'AcknowledgeAlertSuccess', alert: { id: string, state: AlertState, acknowledgement: { by: string, at: string, note: string | null } | null } }
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type AlertRulesQueryVariables = Exact<{
  tenant: string;
  building?: string | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type AlertRulesQuery = { tenant: { alertRules: { nodes: Array<{ id: string, name: string, severity: AlertSeverity, quantity: Quantity | null, enabled: boolean, revision: number, changedAt: string, scope: { buildingId: string | null, spaceId: string | null, deviceId: string | null }, condition:
          | { __typename: 'AverageCondition', bounds: { comparison: AlertComparison, low: number | null, high: number | null, hysteresis: number, forSeconds: number } }
          | { __typename: 'DeviceSilentCondition', intervals: number }
          | { __typename: 'RateOfChangeCondition', change: number, withinSeconds: number, direction: AlertDirection }
          | { __typename: 'ReadingCondition', bounds: { comparison: AlertComparison, low: number | null, high: number | null, hysteresis: number, forSeconds: number } }
          | { __typename: 'StateCondition', forSeconds: number, stateValue: number }
          | { __typename: 'TooFewReportingCondition', share: number, forSeconds: number }
         }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type ApiKeysQueryVariables = Exact<{
  tenant: string;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type ApiKeysQuery = { tenant: { apiKeys: { nodes: Array<{ id: string, name: string, prefix: string, permissions: Array<ApiKeyPermission>, buildingIds: Array<string> | null, documents: Array<string> | null, createdBy: string, createdAt: string, expiresAt: string, revokedAt: string | null, lastUsedAt: string | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type ApproveColdStoreAccessMutationVariables = Exact<{
  input: ApproveColdStoreAccessInput;
}>;


export type ApproveColdStoreAccessMutation = { approveColdStoreAccess:
    | { __typename: 'ApproveColdStoreAccessSuccess', approval: { personId: string, until: string, approvedBy: string, openUntil: string | null } }
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type AuditLogQueryVariables = Exact<{
  building: string;
  first?: number;
  after?: string | null | undefined;
  from?: string | null | undefined;
  to?: string | null | undefined;
  subject?: string | null | undefined;
  action?: string | null | undefined;
}>;


export type AuditLogQuery = { building: { id: string, auditLog: { nodes: Array<{ id: string, at: string, actor: string, action: string, subject: string, before: Record<string, unknown> | null, after: Record<string, unknown> | null, from: { address: string, transport: OriginTransport } | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type BuildingAccessQueryVariables = Exact<{
  building: string;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type BuildingAccessQuery = { building: { access: { nodes: Array<{ personId: string | null, role: Role | null, spaceIds: Array<string> | null, grant: { id: string, state: GrantState, role: SharedRole, granteeId: string | null, granteeName: string | null } | null, apiKey: { id: string, name: string, prefix: string, permissions: Array<ApiKeyPermission>, createdBy: string } | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type BuildingAlertsQueryVariables = Exact<{
  building: string;
  state?: AlertState | null | undefined;
  acknowledged?: boolean | null | undefined;
  minimumSeverity?: AlertSeverity | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type BuildingAlertsQuery = { building: { alerts: { nodes: Array<{ id: string, severity: AlertSeverity, state: AlertState, ruleName: string, quantity: Quantity | null, value: number | null, unit: string | null, onset: string, raisedAt: string, clearedAt: string | null, clearedBecause: AlertClearedBecause | null, acknowledgement: { by: string, at: string, note: string | null } | null, space: { id: string, name: string } | null, device: { id: string, name: string } | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type BuildingHistoryQueryVariables = Exact<{
  id: string;
  quantity: Quantity;
  from: string;
  to: string;
  first?: number;
  after?: string | null | undefined;
}>;


export type BuildingHistoryQuery = { building: { id: string, name: string, averageHistory: { nodes: Array<{ quantity: Quantity, unit: string, mean: number | null, minimum: number | null, maximum: number | null, readings: number, devicesReporting: number, devicesExpected: number, windowStart: string, windowEnd: string, asOf: string, lastReadingAt: string | null, revision: number, position: { incarnation: string, partition: number, sequence: number } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type BuildingNowQueryVariables = Exact<{
  id: string;
}>;


export type BuildingNowQuery = { building: { id: string, name: string, timeZone: string, averages: Array<{ quantity: Quantity, unit: string, mean: number | null, minimum: number | null, maximum: number | null, readings: number, devicesReporting: number, devicesExpected: number, windowStart: string, windowEnd: string, asOf: string, lastReadingAt: string | null, revision: number, position: { incarnation: string, partition: number, sequence: number } }> } | null };

export type BuildingsQueryVariables = Exact<{
  first?: number;
  after?: string | null | undefined;
  tenant?: string | null | undefined;
}>;


export type BuildingsQuery = { buildings: { nodes: Array<{ id: string, name: string, timeZone: string, tenant: { id: string, name: string } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type CancelJobMutationVariables = Exact<{
  input: CancelJobInput;
}>;


export type CancelJobMutation = { cancelJob:
    | { __typename: 'CancelJobSuccess', job: { id: string, state: JobState, done: number } }
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type ChangeAlertRuleMutationVariables = Exact<{
  input: ChangeAlertRuleInput;
}>;


export type ChangeAlertRuleMutation = { changeAlertRule:
    | { __typename: 'ChangeAlertRuleSuccess', rule: { id: string, name: string, severity: AlertSeverity, enabled: boolean, revision: number, changedAt: string } }
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type ChangeMemberRoleMutationVariables = Exact<{
  input: ChangeMemberRoleInput;
}>;


export type ChangeMemberRoleMutation = { changeMemberRole:
    | { __typename: 'ChangeMemberRoleSuccess', member: { personId: string, role: Role, spaces: Array<{ buildingId: string, spaceIds: Array<string> }> | null } }
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type ClaimDeviceMutationVariables = Exact<{
  input: ClaimDeviceInput;
}>;


export type ClaimDeviceMutation = { claimDevice:
    | { __typename: 'ClaimDeviceSuccess', connectionString: string | null, secretsAlreadyShown: boolean, keyedByManufacturer: boolean, device: { id: string, name: string, model: string, serialNumber: string | null, state: DeviceState, building: { id: string }, space: { id: string } } }
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null, retryAfterSeconds: number }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type ColdStoreApprovalsQueryVariables = Exact<{
  tenant: string;
}>;


export type ColdStoreApprovalsQuery = { tenant: { id: string, coldStoreApprovals: Array<{ personId: string, until: string, approvedBy: string, approvedAt: string, revokedAt: string | null, openUntil: string | null }> | null } | null };

export type CreateAlertRuleMutationVariables = Exact<{
  input: CreateAlertRuleInput;
}>;


export type CreateAlertRuleMutation = { createAlertRule:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'CreateAlertRuleSuccess', rule: { id: string, name: string, severity: AlertSeverity, quantity: Quantity | null, enabled: boolean, revision: number } }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type CreateApiKeyMutationVariables = Exact<{
  input: CreateApiKeyInput;
}>;


export type CreateApiKeyMutation = { createApiKey:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'CreateApiKeySuccess', secret: string | null, secretsAlreadyShown: boolean, apiKey: { id: string, prefix: string, permissions: Array<ApiKeyPermission>, expiresAt: string } }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type CreateBuildingMutationVariables = Exact<{
  input: CreateBuildingInput;
}>;


export type CreateBuildingMutation = { createBuilding:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'CreateBuildingSuccess', building: { id: string, name: string, timeZone: string }, spaces: Array<{ id: string, name: string, kind: SpaceKind }> }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type CreateEnrollmentGroupMutationVariables = Exact<{
  input: CreateEnrollmentGroupInput;
}>;


export type CreateEnrollmentGroupMutation = { createEnrollmentGroup:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'CreateEnrollmentGroupSuccess', primaryKey: string | null, secondaryKey: string | null, secretsAlreadyShown: boolean, enrollmentGroup: { id: string, name: string, createdAt: string } }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type CreateTenantMutationVariables = Exact<{
  input: CreateTenantInput;
}>;


export type CreateTenantMutation = { createTenant:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'CreateTenantSuccess', invitationCode: string | null, secretsAlreadyShown: boolean, tenant: { id: string, name: string }, invitation: { id: string, state: InvitationState, role: MemberRole, expiresAt: string } }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type CreateWebhookMutationVariables = Exact<{
  input: CreateWebhookInput;
}>;


export type CreateWebhookMutation = { createWebhook:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'CreateWebhookSuccess', secret: string | null, secretsAlreadyShown: boolean, webhook: { id: string, name: string, url: string } }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type DeadLettersQueryVariables = Exact<{
  building: string;
  from?: string | null | undefined;
  to?: string | null | undefined;
  code?: RefusalCode | null | undefined;
  device?: string | null | undefined;
  first?: number;
  after?: string | null | undefined;
}>;


export type DeadLettersQuery = { building: { deadLetters: { nodes: Array<{ id: string, receivedAt: string, observedAt: string | null, channel: string, code: RefusalCode, message: string, raw: string, protocol: string | null, contentType: string | null, payload: string | null, replayable: boolean, device: { id: string, name: string } | null, replay: { at: string, outcome: DeadLetterReplayOutcome, accepted: number, code: RefusalCode | null, message: string | null } | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null, deadLettersOmitted: Array<{ minute: string, count: number, byCode: Array<{ code: RefusalCode, count: number }> }> | null } | null };

export type DeleteAlertRuleMutationVariables = Exact<{
  input: DeleteAlertRuleInput;
}>;


export type DeleteAlertRuleMutation = { deleteAlertRule:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'DeleteAlertRuleSuccess', rule: { id: string, deletedAt: string | null } }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type DeleteWebhookMutationVariables = Exact<{
  input: DeleteWebhookInput;
}>;


export type DeleteWebhookMutation = { deleteWebhook:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'DeleteWebhookSuccess', webhook: { id: string, deletedAt: string | null } }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type DeviceConfigurationQueryVariables = Exact<{
  id: string;
}>;


export type DeviceConfigurationQuery = { device: { id: string, name: string, state: DeviceState, activatedAt: string | null, suspendedAt: string | null, suspensionReason: string | null, parent: { id: string, name: string } | null, configuration: { desired: Record<string, unknown>, desiredVersion: number, desiredAt: string | null, reported: Record<string, unknown>, reportedVersion: number, reportedAt: string | null } | null } | null };

export type DeviceDetailQueryVariables = Exact<{
  id: string;
}>;


export type DeviceDetailQuery = { device: { id: string, name: string, model: string, serialNumber: string | null, state: DeviceState, createdAt: string, retiredAt: string | null, building: { id: string, name: string, timeZone: string }, space: { id: string, name: string, kind: SpaceKind }, assignments: Array<{ channel: string, quantity: Quantity, unit: string, from: string, to: string | null, point: { id: string, unit: string, space: { id: string, name: string } } }> } | null };

export type DeviceLatestReadingsQueryVariables = Exact<{
  id: string;
}>;


export type DeviceLatestReadingsQuery = { device: { id: string, name: string, latestReadings: Array<{ pointId: string, quantity: Quantity, unit: string, value: number, observedAt: string }> | null, assignments: Array<{ channel: string, point: { id: string, latestReading: { value: number, unit: string, observedAt: string } | null } }> } | null };

export type DeviceTransfersQueryVariables = Exact<{
  tenant: string;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type DeviceTransfersQuery = { tenant: { id: string, deviceTransfers: { nodes: Array<{ id: string, offeredBy: string, deviceName: string, model: string, serialNumber: string | null, offeredAt: string, expiresAt: string }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type DevicesQueryVariables = Exact<{
  building: string;
  first?: number;
  after?: string | null | undefined;
  state?: DeviceState | null | undefined;
  space?: string | null | undefined;
  model?: string | null | undefined;
  silentSince?: string | null | undefined;
}>;


export type DevicesQuery = { building: { id: string, devices: { nodes: Array<{ id: string, name: string, model: string, serialNumber: string | null, state: DeviceState, lastSeenAt: string | null, lastProtocol: DeviceProtocol | null, space: { id: string, name: string } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type ExcursionsQueryVariables = Exact<{
  building: string;
  quantity: Quantity;
  low?: number | null | undefined;
  high?: number | null | undefined;
  longerThan: unknown;
  from: string;
  to: string;
  by?: ExcursionsBy;
  first?: number;
  after?: string | null | undefined;
}>;


export type ExcursionsQuery = { building: { id: string, name: string, excursions: { count: number, total: unknown, hasNextPage: boolean, endCursor: string | null, nodes: Array<{ buildingId: string, pointId: string | null, start: string, end: string, duration: unknown, endedBy: ExcursionEnd, peak: number, peakAt: string }> } | null } | null };

export type ExportQueryVariables = Exact<{
  id: string;
}>;


export type ExportQuery = { export: { id: string, format: ExportFormat, buildingId: string | null, quantities: Array<Quantity>, from: string, to: string, expiresAt: string | null, job: { id: string, kind: JobKind, state: JobState, total: number, done: number, finishedAt: string | null, error: { code: string, message: string } | null }, parts: Array<{ name: string, bytes: number, rows: number, url: string }> } | null };

export type ExportReadingsMutationVariables = Exact<{
  input: ExportReadingsInput;
}>;


export type ExportReadingsMutation = { exportReadings:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ExportReadingsSuccess', export: { id: string, quantities: Array<Quantity>, job: { id: string, state: JobState, total: number } } }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type ExportsQueryVariables = Exact<{
  tenantId: string;
  first?: number;
  after?: string | null | undefined;
}>;


export type ExportsQuery = { tenant: { exports: { nodes: Array<{ id: string, format: ExportFormat, buildingId: string | null, from: string, to: string, expiresAt: string | null, job: { state: JobState, total: number, done: number } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } } | null };

export type GrantsQueryVariables = Exact<{
  tenant: string;
  direction: GrantDirection;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type GrantsQuery = { tenant: { grants: { nodes: Array<{ id: string, state: GrantState, ownerName: string, buildingId: string, spaceId: string | null, quantities: Array<Quantity> | null, role: SharedRole, until: string | null, to: GranteeType, granteeId: string | null, granteeName: string | null, note: string | null, offeredAt: string, acceptedAt: string | null, endedAt: string | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type IngestionReportQueryVariables = Exact<{
  tenant: string;
  from?: string | null | undefined;
  to?: string | null | undefined;
}>;


export type IngestionReportQuery = { tenant: { ingestionReport: Array<{ hour: string, expected: number | null, accepted: number, unanswered: number, landed: number, tooLate: number, curated: number, repeated: number, deadLettered: number, inFlight: number, notYetCurated: number, untold: number, unexplained: number, settled: boolean, deadLetteredByCode: Array<{ code: RefusalCode, count: number }>, partitions: Array<{ partition: number, accepted: number, landed: number, curated: number, repeated: number, deadLettered: number, unexplained: number }> }> | null } | null };

export type InvitationsQueryVariables = Exact<{
  tenant: string;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type InvitationsQuery = { tenant: { invitations: { nodes: Array<{ id: string, state: InvitationState, role: MemberRole, note: string | null, invitedBy: string, invitedAt: string, expiresAt: string, acceptedBy: string | null, endedAt: string | null, spaces: Array<{ buildingId: string, spaceIds: Array<string> }> | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type InviteMemberMutationVariables = Exact<{
  input: InviteMemberInput;
}>;


export type InviteMemberMutation = { inviteMember:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InviteMemberSuccess', invitationCode: string | null, secretsAlreadyShown: boolean, invitation: { id: string, state: InvitationState, role: MemberRole, expiresAt: string, spaces: Array<{ buildingId: string, spaceIds: Array<string> }> | null } }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type IssueColdStoreAccessMutationVariables = Exact<{
  input: IssueColdStoreAccessInput;
}>;


export type IssueColdStoreAccessMutation = { issueColdStoreAccess:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IssueColdStoreAccessSuccess', containerUrl: string, folder: string, token: string | null, credentialId: string, expiresAt: string, confinedToFolder: boolean, secretsAlreadyShown: boolean }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type IssueDeviceCredentialMutationVariables = Exact<{
  input: IssueDeviceCredentialInput;
}>;


export type IssueDeviceCredentialMutation = { issueDeviceCredential:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IssueDeviceCredentialSuccess', connectionString: string | null, secretsAlreadyShown: boolean, device: { id: string, name: string, state: DeviceState } }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type JobQueryVariables = Exact<{
  id: string;
}>;


export type JobQuery = { job: { id: string, kind: JobKind, state: JobState, total: number, done: number, failed: number, createdAt: string, startedAt: string | null, finishedAt: string | null, error: { code: string, message: string } | null } | null };

export type JobRowsQueryVariables = Exact<{
  id: string;
  first?: number;
  after?: string | null | undefined;
  only?: JobRowOnly | null | undefined;
}>;


export type JobRowsQuery = { job: { rows: { nodes: Array<{ index: number, serialNumber: string | null, deviceId: string | null, secret: { claimCode: string | null, claimText: string | null, connectionString: string | null, secretsAlreadyShown: boolean } | null, error:
          | { code: UserErrorCode, message: string, path: Array<string> | null }
          | { code: UserErrorCode, message: string, path: Array<string> | null }
          | { code: UserErrorCode, message: string, path: Array<string> | null }
          | { code: UserErrorCode, message: string, path: Array<string> | null }
          | { code: UserErrorCode, message: string, path: Array<string> | null }
          | { code: UserErrorCode, message: string, path: Array<string> | null }
          | { code: UserErrorCode, message: string, path: Array<string> | null }
          | { code: UserErrorCode, message: string, path: Array<string> | null }
          | { code: UserErrorCode, message: string, path: Array<string> | null }
         | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } } | null };

export type JobsQueryVariables = Exact<{
  tenantId: string;
  first?: number;
  after?: string | null | undefined;
}>;


export type JobsQuery = { tenant: { jobs: { nodes: Array<{ id: string, kind: JobKind, state: JobState, total: number, done: number, failed: number, createdAt: string, finishedAt: string | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } } | null };

export type LatestReadingsQueryVariables = Exact<{
  building: string;
  quantity?: Quantity | null | undefined;
  space?: string | null | undefined;
  first?: number;
  after?: string | null | undefined;
}>;


export type LatestReadingsQuery = { building: { id: string, latestReadings: { nodes: Array<{ pointId: string, spaceId: string, quantity: Quantity, unit: string, value: number, observedAt: string }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type MembersQueryVariables = Exact<{
  tenant: string;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type MembersQuery = { tenant: { members: { nodes: Array<{ personId: string, role: Role, displayName: string | null, joinedAt: string | null, spaces: Array<{ buildingId: string, spaceIds: Array<string> }> | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type MoveDeviceMutationVariables = Exact<{
  input: MoveDeviceInput;
}>;


export type MoveDeviceMutation = { moveDevice:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'MoveDeviceSuccess', device: { id: string, building: { id: string }, space: { id: string }, assignments: Array<{ channel: string, from: string, to: string | null, point: { id: string } }> } }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type OfferDeviceTransferMutationVariables = Exact<{
  input: OfferDeviceTransferInput;
}>;


export type OfferDeviceTransferMutation = { offerDeviceTransfer:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'OfferDeviceTransferSuccess', transferId: string, expiresAt: string, device: { id: string, name: string } }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type OfferGrantMutationVariables = Exact<{
  input: OfferGrantInput;
}>;


export type OfferGrantMutation = { offerGrant:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'OfferGrantSuccess', grantCode: string | null, secretsAlreadyShown: boolean, grant: { id: string, state: GrantState, role: SharedRole, until: string | null } }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type OnAlertsSubscriptionVariables = Exact<{
  buildings: Array<string> | string;
  minimumSeverity?: AlertSeverity | null | undefined;
  after?: string | null | undefined;
}>;


export type OnAlertsSubscription = { alerts:
    | { __typename: 'ActiveAlert', alert: { id: string, buildingId: string, spaceId: string | null, deviceId: string | null, quantity: Quantity | null, severity: AlertSeverity, state: AlertState, ruleName: string, value: number | null, unit: string | null, onset: string, raisedAt: string, clearedAt: string | null } }
    | { __typename: 'AlertChanged', change: AlertChange, at: string, number: number, cursor: string, alert: { id: string, buildingId: string, spaceId: string | null, deviceId: string | null, quantity: Quantity | null, severity: AlertSeverity, state: AlertState, ruleName: string, value: number | null, unit: string | null, onset: string, raisedAt: string, clearedAt: string | null } }
    | { __typename: 'AlertsCaughtUp', cursor: string }
    | { __typename: 'AlertsMissed', buildingId: string, fromNumber: number, toNumber: number }
   };

export type AlertPartsFragment = { id: string, buildingId: string, spaceId: string | null, deviceId: string | null, quantity: Quantity | null, severity: AlertSeverity, state: AlertState, ruleName: string, value: number | null, unit: string | null, onset: string, raisedAt: string, clearedAt: string | null };

export type OnBuildingAverageSubscriptionVariables = Exact<{
  building: string;
  quantity?: Quantity | null | undefined;
  minInterval?: unknown;
  after?: string | null | undefined;
  corrections?: boolean | null | undefined;
}>;


export type OnBuildingAverageSubscription = { buildingAverage: { quantity: Quantity, unit: string, mean: number | null, minimum: number | null, maximum: number | null, readings: number, devicesReporting: number, devicesExpected: number, windowStart: string, windowEnd: string, asOf: string, lastReadingAt: string | null, revision: number, delivery: AverageDelivery | null, cursor: string | null, position: { incarnation: string, partition: number, sequence: number }, gap: { from: string, to: string } | null } };

export type OnBuildingAveragesSubscriptionVariables = Exact<{
  buildings: Array<string> | string;
  quantity?: Quantity | null | undefined;
  minInterval?: unknown;
  after?: Array<string> | string | null | undefined;
  corrections?: boolean | null | undefined;
}>;


export type OnBuildingAveragesSubscription = { buildingAverages: { buildingId: string, quantity: Quantity, mean: number | null, readings: number, devicesReporting: number, devicesExpected: number, windowEnd: string, delivery: AverageDelivery | null, cursor: string | null, gap: { from: string, to: string } | null } };

export type OnDeviceStatusSubscriptionVariables = Exact<{
  building?: string | null | undefined;
  devices?: Array<string> | string | null | undefined;
  minInterval?: unknown;
}>;


export type OnDeviceStatusSubscription = { deviceStatus: { deviceId: string, buildingId: string, state: DeviceState, lastSeenAt: string | null, lastProtocol: DeviceProtocol | null } };

export type ProvisionDevicesMutationVariables = Exact<{
  input: ProvisionDevicesInput;
}>;


export type ProvisionDevicesMutation = { provisionDevices:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ProvisionDevicesSuccess', devices: Array<{ connectionString: string | null, secretsAlreadyShown: boolean, device: { id: string, name: string, model: string, serialNumber: string | null, state: DeviceState } }> }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type ProvisionDevicesJobMutationVariables = Exact<{
  input: ProvisionDevicesInput;
}>;


export type ProvisionDevicesJobMutation = { provisionDevicesJob:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ProvisionDevicesJobSuccess', job: { id: string, state: JobState, total: number } }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type ReadingHistoryQueryVariables = Exact<{
  building: string;
  quantity: Quantity;
  from: string;
  to: string;
  step: string;
}>;


export type ReadingHistoryQuery = { building: { id: string, timeZone: string, history: Array<{ start: string, end: string, count: number, average: number | null, minimum: number | null, maximum: number | null }> | null } | null };

export type ReadingsQueryVariables = Exact<{
  building: string;
  from: string;
  to: string;
  quantity?: Quantity | null | undefined;
  space?: string | null | undefined;
  device?: string | null | undefined;
  point?: string | null | undefined;
  first?: number;
  after?: string | null | undefined;
}>;


export type ReadingsQuery = { building: { id: string, readings: { nodes: Array<{ pointId: string, spaceId: string, deviceId: string, quantity: Quantity, unit: string, value: number, observedAt: string, receivedAt: string, timeSource: TimeSource }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type RedeliverWebhookMutationVariables = Exact<{
  input: RedeliverWebhookInput;
}>;


export type RedeliverWebhookMutation = { redeliverWebhook:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'RedeliverWebhookSuccess', delivery: { id: string, state: WebhookDeliveryState, nextAttemptAt: string | null } }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type RegisterDevicesMutationVariables = Exact<{
  input: RegisterDevicesInput;
}>;


export type RegisterDevicesMutation = { registerDevices:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'RegisterDevicesSuccess', job: { id: string, state: JobState, total: number } }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type RegisterDocumentsMutationVariables = Exact<{
  input: RegisterDocumentsInput;
}>;


export type RegisterDocumentsMutation = { registerDocuments:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidDocumentsError', code: UserErrorCode, message: string, path: Array<string> | null, problems: Array<{ documentId: string, index: number, message: string, line: number | null, column: number | null }> }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'RegisterDocumentsSuccess', documents: Array<{ documentId: string, clients: Array<string> }> }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type RegisteredDevicesQueryVariables = Exact<{
  tenant: string;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type RegisteredDevicesQuery = { tenant: { id: string, registeredDevices: { nodes: Array<{ id: string, serialNumber: string, model: string, state: DeviceState, enrollmentGroupId: string | null, createdAt: string }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type ReissueClaimCodeMutationVariables = Exact<{
  input: ReissueClaimCodeInput;
}>;


export type ReissueClaimCodeMutation = { reissueClaimCode:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ReissueClaimCodeSuccess', claimCode: string | null, claimText: string | null, secretsAlreadyShown: boolean, device: { id: string, serialNumber: string, model: string } }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type RemoveMemberMutationVariables = Exact<{
  input: RemoveMemberInput;
}>;


export type RemoveMemberMutation = { removeMember:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'RemoveMemberSuccess', personId: string }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type ReplaceDeviceMutationVariables = Exact<{
  input: ReplaceDeviceInput;
}>;


export type ReplaceDeviceMutation = { replaceDevice:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ReplaceDeviceSuccess', connectionString: string | null, secretsAlreadyShown: boolean, keyedByManufacturer: boolean, device: { id: string, name: string, model: string, serialNumber: string | null, state: DeviceState, building: { id: string }, space: { id: string } }, replaced: { id: string, state: DeviceState, retiredAt: string | null } }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null, retryAfterSeconds: number }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type ReplayDeadLettersMutationVariables = Exact<{
  input: ReplayDeadLettersInput;
}>;


export type ReplayDeadLettersMutation = { replayDeadLetters:
    | { code: UserErrorCode, message: string, path: Array<string> | null }
    | { code: UserErrorCode, message: string, path: Array<string> | null }
    | { code: UserErrorCode, message: string, path: Array<string> | null }
    | { code: UserErrorCode, message: string, path: Array<string> | null }
    | { code: UserErrorCode, message: string, path: Array<string> | null }
    | { code: UserErrorCode, message: string, path: Array<string> | null }
    | { job: { id: string, state: JobState, total: number, done: number, failed: number } }
    | { code: UserErrorCode, message: string, path: Array<string> | null }
    | { code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type ResumeDeviceMutationVariables = Exact<{
  input: ResumeDeviceInput;
}>;


export type ResumeDeviceMutation = { resumeDevice:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ResumeDeviceSuccess', device: { id: string, name: string, state: DeviceState, suspendedAt: string | null } }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type RetireDeviceMutationVariables = Exact<{
  input: RetireDeviceInput;
}>;


export type RetireDeviceMutation = { retireDevice:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'RetireDeviceSuccess', device: { id: string, name: string, state: DeviceState, retiredAt: string | null } }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type RetireDocumentsMutationVariables = Exact<{
  input: RetireDocumentsInput;
}>;


export type RetireDocumentsMutation = { retireDocuments:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'RetireDocumentsSuccess', documentIds: Array<string> }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type RetireRegisteredDeviceMutationVariables = Exact<{
  input: RetireRegisteredDeviceInput;
}>;


export type RetireRegisteredDeviceMutation = { retireRegisteredDevice:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'RetireRegisteredDeviceSuccess', device: { id: string, serialNumber: string, state: DeviceState } }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type RevokeApiKeyMutationVariables = Exact<{
  input: RevokeApiKeyInput;
}>;


export type RevokeApiKeyMutation = { revokeApiKey:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'RevokeApiKeySuccess', apiKey: { id: string, revokedAt: string | null } }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type RevokeColdStoreAccessMutationVariables = Exact<{
  input: RevokeColdStoreAccessInput;
}>;


export type RevokeColdStoreAccessMutation = { revokeColdStoreAccess:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'RevokeColdStoreAccessSuccess', approval: { personId: string, revokedAt: string | null, openUntil: string | null } }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type RevokeGrantMutationVariables = Exact<{
  input: RevokeGrantInput;
}>;


export type RevokeGrantMutation = { revokeGrant:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'RevokeGrantSuccess', grant: { id: string, state: GrantState, endedAt: string | null } }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type RevokeInvitationMutationVariables = Exact<{
  input: RevokeInvitationInput;
}>;


export type RevokeInvitationMutation = { revokeInvitation:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'RevokeInvitationSuccess', invitation: { id: string, state: InvitationState, endedAt: string | null } }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type RotateDeviceCredentialMutationVariables = Exact<{
  input: RotateDeviceCredentialInput;
}>;


export type RotateDeviceCredentialMutation = { rotateDeviceCredential:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'RotateDeviceCredentialSuccess', connectionString: string | null, secretsAlreadyShown: boolean, device: { id: string, name: string, state: DeviceState } }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type RotateWebhookSecretMutationVariables = Exact<{
  input: RotateWebhookSecretInput;
}>;


export type RotateWebhookSecretMutation = { rotateWebhookSecret:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'RotateWebhookSecretSuccess', secret: string | null, secretsAlreadyShown: boolean, webhook: { id: string, responsible: string } }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type SetDeviceConfigurationMutationVariables = Exact<{
  input: SetDeviceConfigurationInput;
}>;


export type SetDeviceConfigurationMutation = { setDeviceConfiguration:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'SetDeviceConfigurationSuccess', device: { id: string, name: string }, configuration: { desired: Record<string, unknown>, desiredVersion: number, desiredAt: string | null, reported: Record<string, unknown>, reportedVersion: number, reportedAt: string | null } }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type SetDeviceIntervalMutationVariables = Exact<{
  input: SetDeviceIntervalInput;
}>;


export type SetDeviceIntervalMutation = { setDeviceInterval:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'SetDeviceIntervalSuccess', device: { id: string, intervalSeconds: number } }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type SetDeviceParentMutationVariables = Exact<{
  input: SetDeviceParentInput;
}>;


export type SetDeviceParentMutation = { setDeviceParent:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'SetDeviceParentSuccess', device: { id: string, name: string, parent: { id: string, name: string } | null } }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type SetPresenceRevealingMutationVariables = Exact<{
  input: SetPresenceRevealingInput;
}>;


export type SetPresenceRevealingMutation = { setPresenceRevealing:
    | { code: UserErrorCode, message: string, path: Array<string> | null }
    | { code: UserErrorCode, message: string, path: Array<string> | null }
    | { code: UserErrorCode, message: string, path: Array<string> | null }
    | { code: UserErrorCode, message: string, path: Array<string> | null }
    | { code: UserErrorCode, message: string, path: Array<string> | null }
    | { code: UserErrorCode, message: string, path: Array<string> | null }
    | { building: { id: string, presenceRevealing: Array<Quantity> } }
    | { code: UserErrorCode, message: string, path: Array<string> | null }
    | { code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type SharedWithMeQueryVariables = Exact<{ [key: string]: never; }>;


export type SharedWithMeQuery = { viewer: { grants: Array<{ id: string, state: GrantState, ownerName: string, buildingId: string, spaceId: string | null, quantities: Array<Quantity> | null, role: SharedRole, until: string | null }> } };

export type SpacesNowQueryVariables = Exact<{
  building: string;
}>;


export type SpacesNowQuery = { building: { id: string, spaces: Array<{ id: string, name: string, averages: Array<{ quantity: Quantity, unit: string, mean: number | null, deviceMean: number | null, minimum: number | null, maximum: number | null, readings: number, devicesReporting: number, windowEnd: string, lastReadingAt: string | null }> }> } | null };

export type StatesNowQueryVariables = Exact<{
  building: string;
}>;


export type StatesNowQuery = { building: { id: string, states: Array<{ quantity: Quantity, active: number, clear: number, activeShare: number | null, changedAt: string | null, lastReadingAt: string, at: string, position: { incarnation: string, partition: number, sequence: number } }>, spaces: Array<{ id: string, name: string, states: Array<{ quantity: Quantity, active: number, clear: number, activeShare: number | null, changedAt: string | null, lastReadingAt: string, at: string, position: { incarnation: string, partition: number, sequence: number } }> }> } | null };

export type StateNowFragment = { quantity: Quantity, active: number, clear: number, activeShare: number | null, changedAt: string | null, lastReadingAt: string, at: string, position: { incarnation: string, partition: number, sequence: number } };

export type SuspendDeviceMutationVariables = Exact<{
  input: SuspendDeviceInput;
}>;


export type SuspendDeviceMutation = { suspendDevice:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'SuspendDeviceSuccess', device: { id: string, name: string, state: DeviceState, suspendedAt: string | null, suspensionReason: string | null } }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type TenantAuditLogQueryVariables = Exact<{
  tenant: string;
  first?: number;
  after?: string | null | undefined;
  from?: string | null | undefined;
  to?: string | null | undefined;
  subject?: string | null | undefined;
  action?: string | null | undefined;
}>;


export type TenantAuditLogQuery = { tenant: { id: string, auditLog: { nodes: Array<{ id: string, at: string, actor: string, action: string, subject: string, before: Record<string, unknown> | null, after: Record<string, unknown> | null, from: { address: string, transport: OriginTransport } | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type TrustedDocumentsQueryVariables = Exact<{
  tenant: string;
  client?: string | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type TrustedDocumentsQuery = { tenant: { id: string, trustedDocuments: { nodes: Array<{ documentId: string, clients: Array<string>, registeredAt: string, registeredBy: string }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type ViewerQueryVariables = Exact<{ [key: string]: never; }>;


export type ViewerQuery = { viewer: { id: string, email: string | null, tenants: Array<{ role: Role, tenant: { id: string, name: string } }> } };

export type WebhookDeliveriesQueryVariables = Exact<{
  webhook: string;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type WebhookDeliveriesQuery = { node:
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, deliveries: { nodes: Array<{ id: string, type: string, state: WebhookDeliveryState, createdAt: string, nextAttemptAt: string | null, attempts: Array<{ at: string, status: number | null, problem: string | null, milliseconds: number }> }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null }
   | null };

export type WebhooksQueryVariables = Exact<{
  tenant: string;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type WebhooksQuery = { tenant: { webhooks: { nodes: Array<{ id: string, name: string, url: string, minimumSeverity: AlertSeverity, buildingIds: Array<string> | null, responsible: string, createdAt: string }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type WithdrawDeviceTransferMutationVariables = Exact<{
  input: WithdrawDeviceTransferInput;
}>;


export type WithdrawDeviceTransferMutation = { withdrawDeviceTransfer:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WithdrawDeviceTransferSuccess', device: { id: string, name: string } }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const AlertPartsFragmentDoc = new TypedDocumentString(`
    fragment AlertParts on Alert {
  id
  buildingId
  spaceId
  deviceId
  quantity
  severity
  state
  ruleName
  value
  unit
  onset
  raisedAt
  clearedAt
}
    `, {"fragmentName":"AlertParts"}) as unknown as TypedDocumentString<AlertPartsFragment, unknown>;
export const StateNowFragmentDoc = new TypedDocumentString(`
    fragment StateNow on PlaceState {
  quantity
  active
  clear
  activeShare
  changedAt
  lastReadingAt
  at
  position {
    incarnation
    partition
    sequence
  }
}
    `, {"fragmentName":"StateNow"}) as unknown as TypedDocumentString<StateNowFragment, unknown>;
export const AcceptDeviceTransferDocument = new TypedDocumentString(`
    mutation AcceptDeviceTransfer($input: AcceptDeviceTransferInput!) {
  acceptDeviceTransfer(input: $input) {
    __typename
    ... on AcceptDeviceTransferSuccess {
      device {
        id
        name
        model
        serialNumber
        state
        building {
          id
        }
        space {
          id
        }
      }
      connectionString
      secretsAlreadyShown
      keyedByManufacturer
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:6a434babf2aea69381fbd1c15efa4aa7df65a4d2f541775f3ca681087e0a88cd"}) as unknown as TypedDocumentString<AcceptDeviceTransferMutation, AcceptDeviceTransferMutationVariables>;
export const AcceptGrantDocument = new TypedDocumentString(`
    mutation AcceptGrant($input: AcceptGrantInput!) {
  acceptGrant(input: $input) {
    __typename
    ... on AcceptGrantSuccess {
      grant {
        id
        ownerName
        buildingId
        spaceId
        quantities
        role
        until
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:99bc3de80a3c3ba7da1a586af206c833c9ec433e64b114d8f0de4cb008d8843f"}) as unknown as TypedDocumentString<AcceptGrantMutation, AcceptGrantMutationVariables>;
export const AcceptInvitationDocument = new TypedDocumentString(`
    mutation AcceptInvitation($input: AcceptInvitationInput!) {
  acceptInvitation(input: $input) {
    __typename
    ... on AcceptInvitationSuccess {
      tenantId
      tenantName
      role
      spaces {
        buildingId
        spaceIds
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:2d8263b9a11c32d875aaa9cbacee5768a3cd99229e0d8c5508dfd266917f0d2a"}) as unknown as TypedDocumentString<AcceptInvitationMutation, AcceptInvitationMutationVariables>;
export const AcknowledgeAlertDocument = new TypedDocumentString(`
    mutation AcknowledgeAlert($input: AcknowledgeAlertInput!) {
  acknowledgeAlert(input: $input) {
    __typename
    ... on AcknowledgeAlertSuccess {
      alert {
        id
        state
        acknowledgement {
          by
          at
          note
        }
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:c1e7def81fc5a457b25558213d651140aa79af04e7d2ee01904bc7f746ad7bd9"}) as unknown as TypedDocumentString<AcknowledgeAlertMutation, AcknowledgeAlertMutationVariables>;
export const AlertRulesDocument = new TypedDocumentString(`
    query AlertRules($tenant: ID!, $building: ID, $first: Int, $after: String) {
  tenant(id: $tenant) {
    alertRules(building: $building, first: $first, after: $after) {
      nodes {
        id
        name
        severity
        quantity
        enabled
        revision
        scope {
          buildingId
          spaceId
          deviceId
        }
        condition {
          __typename
          ... on ReadingCondition {
            bounds {
              comparison
              low
              high
              hysteresis
              forSeconds
            }
          }
          ... on AverageCondition {
            bounds {
              comparison
              low
              high
              hysteresis
              forSeconds
            }
          }
          ... on RateOfChangeCondition {
            change
            withinSeconds
            direction
          }
          ... on StateCondition {
            stateValue: value
            forSeconds
          }
          ... on DeviceSilentCondition {
            intervals
          }
          ... on TooFewReportingCondition {
            share
            forSeconds
          }
        }
        changedAt
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `, {"hash":"sha256:748a34c42b4e0ac917046870b7dec53389110d00a80333dd515a1b367a1aa514"}) as unknown as TypedDocumentString<AlertRulesQuery, AlertRulesQueryVariables>;
export const ApiKeysDocument = new TypedDocumentString(`
    query ApiKeys($tenant: ID!, $first: Int, $after: String) {
  tenant(id: $tenant) {
    apiKeys(first: $first, after: $after) {
      nodes {
        id
        name
        prefix
        permissions
        buildingIds
        documents
        createdBy
        createdAt
        expiresAt
        revokedAt
        lastUsedAt
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `, {"hash":"sha256:cb9c8ad4fc408bad54df94f7ac44be74157e4557062d253fa1543292584d2c44"}) as unknown as TypedDocumentString<ApiKeysQuery, ApiKeysQueryVariables>;
export const ApproveColdStoreAccessDocument = new TypedDocumentString(`
    mutation ApproveColdStoreAccess($input: ApproveColdStoreAccessInput!) {
  approveColdStoreAccess(input: $input) {
    __typename
    ... on ApproveColdStoreAccessSuccess {
      approval {
        personId
        until
        approvedBy
        openUntil
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:23241d8e436b3018b23a723fa48fde0821f309a74a9d777032c3ed03217ffaa6"}) as unknown as TypedDocumentString<ApproveColdStoreAccessMutation, ApproveColdStoreAccessMutationVariables>;
export const AuditLogDocument = new TypedDocumentString(`
    query AuditLog($building: ID!, $first: Int! = 50, $after: String, $from: DateTime, $to: DateTime, $subject: ID, $action: String) {
  building(id: $building) {
    id
    auditLog(
      first: $first
      after: $after
      from: $from
      to: $to
      subject: $subject
      action: $action
    ) {
      nodes {
        id
        at
        actor
        from {
          address
          transport
        }
        action
        subject
        before
        after
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `, {"hash":"sha256:31ada29ab2a1d368ec2dd9a43194f5268bdf4320f83b99e4bc980ab5f3ec2f28"}) as unknown as TypedDocumentString<AuditLogQuery, AuditLogQueryVariables>;
export const BuildingAccessDocument = new TypedDocumentString(`
    query BuildingAccess($building: ID!, $first: Int, $after: String) {
  building(id: $building) {
    access(first: $first, after: $after) {
      nodes {
        personId
        role
        spaceIds
        grant {
          id
          state
          role
          granteeId
          granteeName
        }
        apiKey {
          id
          name
          prefix
          permissions
          createdBy
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `, {"hash":"sha256:db1ede36effaeddd09243d249f5d788e721c583f01b4c80395b3d80b6cbf9079"}) as unknown as TypedDocumentString<BuildingAccessQuery, BuildingAccessQueryVariables>;
export const BuildingAlertsDocument = new TypedDocumentString(`
    query BuildingAlerts($building: ID!, $state: AlertState, $acknowledged: Boolean, $minimumSeverity: AlertSeverity, $first: Int, $after: String) {
  building(id: $building) {
    alerts(
      state: $state
      acknowledged: $acknowledged
      minimumSeverity: $minimumSeverity
      first: $first
      after: $after
    ) {
      nodes {
        id
        severity
        state
        ruleName
        quantity
        value
        unit
        onset
        raisedAt
        clearedAt
        clearedBecause
        acknowledgement {
          by
          at
          note
        }
        space {
          id
          name
        }
        device {
          id
          name
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `, {"hash":"sha256:5d06b5d6240a831497a2a396368143be9bcf540c9275caa043430d904f39feab"}) as unknown as TypedDocumentString<BuildingAlertsQuery, BuildingAlertsQueryVariables>;
export const BuildingHistoryDocument = new TypedDocumentString(`
    query BuildingHistory($id: ID!, $quantity: Quantity!, $from: DateTime!, $to: DateTime!, $first: Int! = 50, $after: String) {
  building(id: $id) {
    id
    name
    averageHistory(
      quantity: $quantity
      from: $from
      to: $to
      first: $first
      after: $after
    ) {
      nodes {
        quantity
        unit
        mean
        minimum
        maximum
        readings
        devicesReporting
        devicesExpected
        windowStart
        windowEnd
        asOf
        lastReadingAt
        position {
          incarnation
          partition
          sequence
        }
        revision
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `, {"hash":"sha256:c3b12a4c3be8071a0186520e237dd05878d4b02a19113803b031cac015c7856b"}) as unknown as TypedDocumentString<BuildingHistoryQuery, BuildingHistoryQueryVariables>;
export const BuildingNowDocument = new TypedDocumentString(`
    query BuildingNow($id: ID!) {
  building(id: $id) {
    id
    name
    timeZone
    averages {
      quantity
      unit
      mean
      minimum
      maximum
      readings
      devicesReporting
      devicesExpected
      windowStart
      windowEnd
      asOf
      lastReadingAt
      position {
        incarnation
        partition
        sequence
      }
      revision
    }
  }
}
    `, {"hash":"sha256:a347af200d1f52275d9ee4056484e087f6b0b726eafef739cbcc139db8cd7dec"}) as unknown as TypedDocumentString<BuildingNowQuery, BuildingNowQueryVariables>;
export const BuildingsDocument = new TypedDocumentString(`
    query Buildings($first: Int! = 50, $after: String, $tenant: ID) {
  buildings(first: $first, after: $after, tenant: $tenant) {
    nodes {
      id
      name
      timeZone
      tenant {
        id
        name
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `, {"hash":"sha256:e8d81d78677cc9a742e77ee900ed4d507301b8136607b4f25f31cb0fe71d02cc"}) as unknown as TypedDocumentString<BuildingsQuery, BuildingsQueryVariables>;
export const CancelJobDocument = new TypedDocumentString(`
    mutation CancelJob($input: CancelJobInput!) {
  cancelJob(input: $input) {
    __typename
    ... on CancelJobSuccess {
      job {
        id
        state
        done
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:32dc60126d27f4e8be75bf7b82fa3cbb53bc637c6d8ce9bb9067f1f06f9bff5f"}) as unknown as TypedDocumentString<CancelJobMutation, CancelJobMutationVariables>;
export const ChangeAlertRuleDocument = new TypedDocumentString(`
    mutation ChangeAlertRule($input: ChangeAlertRuleInput!) {
  changeAlertRule(input: $input) {
    __typename
    ... on ChangeAlertRuleSuccess {
      rule {
        id
        name
        severity
        enabled
        revision
        changedAt
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:a2c6d3756ccbccffcd437ef76bcfbbf6b7cbffd447b9bd4714a34f6ef5420ec3"}) as unknown as TypedDocumentString<ChangeAlertRuleMutation, ChangeAlertRuleMutationVariables>;
export const ChangeMemberRoleDocument = new TypedDocumentString(`
    mutation ChangeMemberRole($input: ChangeMemberRoleInput!) {
  changeMemberRole(input: $input) {
    __typename
    ... on ChangeMemberRoleSuccess {
      member {
        personId
        role
        spaces {
          buildingId
          spaceIds
        }
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:b7086bf93f44e69aebcf9a08bc4d3865cb0e01b0e28f55e5db71a91e465fe604"}) as unknown as TypedDocumentString<ChangeMemberRoleMutation, ChangeMemberRoleMutationVariables>;
export const ClaimDeviceDocument = new TypedDocumentString(`
    mutation ClaimDevice($input: ClaimDeviceInput!) {
  claimDevice(input: $input) {
    __typename
    ... on ClaimDeviceSuccess {
      device {
        id
        name
        model
        serialNumber
        state
        building {
          id
        }
        space {
          id
        }
      }
      connectionString
      secretsAlreadyShown
      keyedByManufacturer
    }
    ... on UserError {
      code
      message
      path
    }
    ... on TooManyAttemptsError {
      retryAfterSeconds
    }
  }
}
    `, {"hash":"sha256:a2e001b762589f2128f35f957f46be771225c80c80d8df4ec6d5dd6fe2f2c7e5"}) as unknown as TypedDocumentString<ClaimDeviceMutation, ClaimDeviceMutationVariables>;
export const ColdStoreApprovalsDocument = new TypedDocumentString(`
    query ColdStoreApprovals($tenant: ID!) {
  tenant(id: $tenant) {
    id
    coldStoreApprovals {
      personId
      until
      approvedBy
      approvedAt
      revokedAt
      openUntil
    }
  }
}
    `, {"hash":"sha256:2f21836f06af6519da222332bb1f4c9f122d89ffb09b498b6c3bafe204b4e11b"}) as unknown as TypedDocumentString<ColdStoreApprovalsQuery, ColdStoreApprovalsQueryVariables>;
export const CreateAlertRuleDocument = new TypedDocumentString(`
    mutation CreateAlertRule($input: CreateAlertRuleInput!) {
  createAlertRule(input: $input) {
    __typename
    ... on CreateAlertRuleSuccess {
      rule {
        id
        name
        severity
        quantity
        enabled
        revision
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:8fdd5bc5df1d2a10162737c4efaabc7f5a25947d78806438a3348de58ca59b8d"}) as unknown as TypedDocumentString<CreateAlertRuleMutation, CreateAlertRuleMutationVariables>;
export const CreateApiKeyDocument = new TypedDocumentString(`
    mutation CreateApiKey($input: CreateApiKeyInput!) {
  createApiKey(input: $input) {
    __typename
    ... on CreateApiKeySuccess {
      apiKey {
        id
        prefix
        permissions
        expiresAt
      }
      secret
      secretsAlreadyShown
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:e8b5d153c3c1b4755034f6ad9f1b2ce8699624ff97950b399c4497100e758021"}) as unknown as TypedDocumentString<CreateApiKeyMutation, CreateApiKeyMutationVariables>;
export const CreateBuildingDocument = new TypedDocumentString(`
    mutation CreateBuilding($input: CreateBuildingInput!) {
  createBuilding(input: $input) {
    __typename
    ... on CreateBuildingSuccess {
      building {
        id
        name
        timeZone
      }
      spaces {
        id
        name
        kind
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:35ed2a77f3b136e21c45a4aa1e5ff552d4fa4e34aadc3152428cb516022a7ce6"}) as unknown as TypedDocumentString<CreateBuildingMutation, CreateBuildingMutationVariables>;
export const CreateEnrollmentGroupDocument = new TypedDocumentString(`
    mutation CreateEnrollmentGroup($input: CreateEnrollmentGroupInput!) {
  createEnrollmentGroup(input: $input) {
    __typename
    ... on CreateEnrollmentGroupSuccess {
      enrollmentGroup {
        id
        name
        createdAt
      }
      primaryKey
      secondaryKey
      secretsAlreadyShown
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:6d5c6f507909812e17dec29a1bc9ae975f4a95f86dca405653acf0d3815332e1"}) as unknown as TypedDocumentString<CreateEnrollmentGroupMutation, CreateEnrollmentGroupMutationVariables>;
export const CreateTenantDocument = new TypedDocumentString(`
    mutation CreateTenant($input: CreateTenantInput!) {
  createTenant(input: $input) {
    __typename
    ... on CreateTenantSuccess {
      tenant {
        id
        name
      }
      invitation {
        id
        state
        role
        expiresAt
      }
      invitationCode
      secretsAlreadyShown
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:28eb90d80f34e190ef73a6b2180ebc32f951b999dbcade5c167dd0e3bdef5d14"}) as unknown as TypedDocumentString<CreateTenantMutation, CreateTenantMutationVariables>;
export const CreateWebhookDocument = new TypedDocumentString(`
    mutation CreateWebhook($input: CreateWebhookInput!) {
  createWebhook(input: $input) {
    __typename
    ... on CreateWebhookSuccess {
      webhook {
        id
        name
        url
      }
      secret
      secretsAlreadyShown
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:c3201853eb8c26a45a00598ddeb320b55cbcb27bcce6c18fa472547bfdacaa75"}) as unknown as TypedDocumentString<CreateWebhookMutation, CreateWebhookMutationVariables>;
export const DeadLettersDocument = new TypedDocumentString(`
    query DeadLetters($building: ID!, $from: DateTime, $to: DateTime, $code: RefusalCode, $device: ID, $first: Int! = 50, $after: String) {
  building(id: $building) {
    deadLetters(
      from: $from
      to: $to
      code: $code
      device: $device
      first: $first
      after: $after
    ) {
      nodes {
        id
        receivedAt
        observedAt
        device {
          id
          name
        }
        channel
        code
        message
        raw
        protocol
        contentType
        payload
        replayable
        replay {
          at
          outcome
          accepted
          code
          message
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
    deadLettersOmitted {
      minute
      count
      byCode {
        code
        count
      }
    }
  }
}
    `, {"hash":"sha256:d2087be2d085adfa0a354877be33ab31fcf6c2796ed0ab1bd4d4662debef071e"}) as unknown as TypedDocumentString<DeadLettersQuery, DeadLettersQueryVariables>;
export const DeleteAlertRuleDocument = new TypedDocumentString(`
    mutation DeleteAlertRule($input: DeleteAlertRuleInput!) {
  deleteAlertRule(input: $input) {
    __typename
    ... on DeleteAlertRuleSuccess {
      rule {
        id
        deletedAt
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:6704a812c28d6480e9779e5c581546ad391f79410f78c61522bc9c97612ca68e"}) as unknown as TypedDocumentString<DeleteAlertRuleMutation, DeleteAlertRuleMutationVariables>;
export const DeleteWebhookDocument = new TypedDocumentString(`
    mutation DeleteWebhook($input: DeleteWebhookInput!) {
  deleteWebhook(input: $input) {
    __typename
    ... on DeleteWebhookSuccess {
      webhook {
        id
        deletedAt
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:3db71bc69586fec06324ca08e6930804941be981fddcb9a72d55eb272e9742b4"}) as unknown as TypedDocumentString<DeleteWebhookMutation, DeleteWebhookMutationVariables>;
export const DeviceConfigurationDocument = new TypedDocumentString(`
    query DeviceConfiguration($id: ID!) {
  device(id: $id) {
    id
    name
    state
    activatedAt
    suspendedAt
    suspensionReason
    parent {
      id
      name
    }
    configuration {
      desired
      desiredVersion
      desiredAt
      reported
      reportedVersion
      reportedAt
    }
  }
}
    `, {"hash":"sha256:51f91d0a1f915cbbeb21bf238ac4ea1f3c1f19c69675ffadb2de5294896be9f5"}) as unknown as TypedDocumentString<DeviceConfigurationQuery, DeviceConfigurationQueryVariables>;
export const DeviceDetailDocument = new TypedDocumentString(`
    query DeviceDetail($id: ID!) {
  device(id: $id) {
    id
    name
    model
    serialNumber
    state
    createdAt
    retiredAt
    building {
      id
      name
      timeZone
    }
    space {
      id
      name
      kind
    }
    assignments {
      channel
      quantity
      unit
      from
      to
      point {
        id
        unit
        space {
          id
          name
        }
      }
    }
  }
}
    `, {"hash":"sha256:34f8bc867982ad6e1a580cf88d24af263928c3284cdd270a87af83ea0d8f001c"}) as unknown as TypedDocumentString<DeviceDetailQuery, DeviceDetailQueryVariables>;
export const DeviceLatestReadingsDocument = new TypedDocumentString(`
    query DeviceLatestReadings($id: ID!) {
  device(id: $id) {
    id
    name
    latestReadings {
      pointId
      quantity
      unit
      value
      observedAt
    }
    assignments {
      channel
      point {
        id
        latestReading {
          value
          unit
          observedAt
        }
      }
    }
  }
}
    `, {"hash":"sha256:4b167a2c4204b105cd2e5a450f2bc507334157203063898c6cbc39f227948609"}) as unknown as TypedDocumentString<DeviceLatestReadingsQuery, DeviceLatestReadingsQueryVariables>;
export const DeviceTransfersDocument = new TypedDocumentString(`
    query DeviceTransfers($tenant: ID!, $first: Int = 50, $after: String) {
  tenant(id: $tenant) {
    id
    deviceTransfers(first: $first, after: $after) {
      nodes {
        id
        offeredBy
        deviceName
        model
        serialNumber
        offeredAt
        expiresAt
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `, {"hash":"sha256:37eb1a984ae9df06d51178cf8a20b8c7a699d8cb0d499d3c3c85da737528a6da"}) as unknown as TypedDocumentString<DeviceTransfersQuery, DeviceTransfersQueryVariables>;
export const DevicesDocument = new TypedDocumentString(`
    query Devices($building: ID!, $first: Int! = 50, $after: String, $state: DeviceState, $space: ID, $model: String, $silentSince: DateTime) {
  building(id: $building) {
    id
    devices(
      first: $first
      after: $after
      state: $state
      space: $space
      model: $model
      silentSince: $silentSince
    ) {
      nodes {
        id
        name
        model
        serialNumber
        state
        lastSeenAt
        lastProtocol
        space {
          id
          name
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `, {"hash":"sha256:b5228f3d4ca6e93515fd962a6178e1909687326ea8a042bba0f05fc195f917b7"}) as unknown as TypedDocumentString<DevicesQuery, DevicesQueryVariables>;
export const ExcursionsDocument = new TypedDocumentString(`
    query Excursions($building: ID!, $quantity: Quantity!, $low: Float, $high: Float, $longerThan: Duration!, $from: DateTime!, $to: DateTime!, $by: ExcursionsBy! = POINT, $first: Int! = 50, $after: String) {
  building(id: $building) {
    id
    name
    excursions(
      quantity: $quantity
      low: $low
      high: $high
      longerThan: $longerThan
      from: $from
      to: $to
      by: $by
      first: $first
      after: $after
    ) {
      count
      total
      nodes {
        buildingId
        pointId
        start
        end
        duration
        endedBy
        peak
        peakAt
      }
      hasNextPage
      endCursor
    }
  }
}
    `, {"hash":"sha256:1663e1ff44f3b6099848a13c6ec093d2d560117c4378fdfd7bad9f475fbca66c"}) as unknown as TypedDocumentString<ExcursionsQuery, ExcursionsQueryVariables>;
export const ExportDocument = new TypedDocumentString(`
    query Export($id: ID!) {
  export(id: $id) {
    id
    format
    buildingId
    quantities
    from
    to
    expiresAt
    job {
      id
      kind
      state
      total
      done
      finishedAt
      error {
        code
        message
      }
    }
    parts {
      name
      bytes
      rows
      url
    }
  }
}
    `, {"hash":"sha256:72bbeaf86faf9d2e4d6c72e82413a4d9dafaf97a0b255629f59c434fbe2a1708"}) as unknown as TypedDocumentString<ExportQuery, ExportQueryVariables>;
export const ExportReadingsDocument = new TypedDocumentString(`
    mutation ExportReadings($input: ExportReadingsInput!) {
  exportReadings(input: $input) {
    __typename
    ... on ExportReadingsSuccess {
      export {
        id
        quantities
        job {
          id
          state
          total
        }
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:94661630379956217600fa59722cc9b9f4d6c8e7725e4716ba1921bffb652094"}) as unknown as TypedDocumentString<ExportReadingsMutation, ExportReadingsMutationVariables>;
export const ExportsDocument = new TypedDocumentString(`
    query Exports($tenantId: ID!, $first: Int! = 20, $after: String) {
  tenant(id: $tenantId) {
    exports(first: $first, after: $after) {
      nodes {
        id
        format
        buildingId
        from
        to
        expiresAt
        job {
          state
          total
          done
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `, {"hash":"sha256:018cb924e97a0fc3dc21853c3f9fe4e63995aa360b35397bd934186afa85968a"}) as unknown as TypedDocumentString<ExportsQuery, ExportsQueryVariables>;
export const GrantsDocument = new TypedDocumentString(`
    query Grants($tenant: ID!, $direction: GrantDirection!, $first: Int, $after: String) {
  tenant(id: $tenant) {
    grants(direction: $direction, first: $first, after: $after) {
      nodes {
        id
        state
        ownerName
        buildingId
        spaceId
        quantities
        role
        until
        to
        granteeId
        granteeName
        note
        offeredAt
        acceptedAt
        endedAt
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `, {"hash":"sha256:051e4c537c75f8235c91cf8707f30e2912b6d152094c3b3d3f34edc33b6a98e1"}) as unknown as TypedDocumentString<GrantsQuery, GrantsQueryVariables>;
export const IngestionReportDocument = new TypedDocumentString(`
    query IngestionReport($tenant: ID!, $from: DateTime, $to: DateTime) {
  tenant(id: $tenant) {
    ingestionReport(from: $from, to: $to) {
      hour
      expected
      accepted
      unanswered
      landed
      tooLate
      curated
      repeated
      deadLettered
      deadLetteredByCode {
        code
        count
      }
      inFlight
      notYetCurated
      untold
      unexplained
      settled
      partitions {
        partition
        accepted
        landed
        curated
        repeated
        deadLettered
        unexplained
      }
    }
  }
}
    `, {"hash":"sha256:d57faadbd1b1362233c7db8d3dd80563596e23f7ad5c00af66a3f207c5e257b1"}) as unknown as TypedDocumentString<IngestionReportQuery, IngestionReportQueryVariables>;
export const InvitationsDocument = new TypedDocumentString(`
    query Invitations($tenant: ID!, $first: Int, $after: String) {
  tenant(id: $tenant) {
    invitations(first: $first, after: $after) {
      nodes {
        id
        state
        role
        spaces {
          buildingId
          spaceIds
        }
        note
        invitedBy
        invitedAt
        expiresAt
        acceptedBy
        endedAt
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `, {"hash":"sha256:e45850b72f9732236752c14c92ed8ddc4792b32624b1ba08298ab4bc06103ba6"}) as unknown as TypedDocumentString<InvitationsQuery, InvitationsQueryVariables>;
export const InviteMemberDocument = new TypedDocumentString(`
    mutation InviteMember($input: InviteMemberInput!) {
  inviteMember(input: $input) {
    __typename
    ... on InviteMemberSuccess {
      invitation {
        id
        state
        role
        spaces {
          buildingId
          spaceIds
        }
        expiresAt
      }
      invitationCode
      secretsAlreadyShown
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:6b9f5c85fb7b75eecef92276024d5c31bdb2ee4d4d1ae4d3e027fa875341da6c"}) as unknown as TypedDocumentString<InviteMemberMutation, InviteMemberMutationVariables>;
export const IssueColdStoreAccessDocument = new TypedDocumentString(`
    mutation IssueColdStoreAccess($input: IssueColdStoreAccessInput!) {
  issueColdStoreAccess(input: $input) {
    __typename
    ... on IssueColdStoreAccessSuccess {
      containerUrl
      folder
      token
      credentialId
      expiresAt
      confinedToFolder
      secretsAlreadyShown
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:88a3265690d71dc9e023b63fd70751ecbc6af7b7b0e61bcc6938052bf56f93ae"}) as unknown as TypedDocumentString<IssueColdStoreAccessMutation, IssueColdStoreAccessMutationVariables>;
export const IssueDeviceCredentialDocument = new TypedDocumentString(`
    mutation IssueDeviceCredential($input: IssueDeviceCredentialInput!) {
  issueDeviceCredential(input: $input) {
    __typename
    ... on IssueDeviceCredentialSuccess {
      device {
        id
        name
        state
      }
      connectionString
      secretsAlreadyShown
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:8eb9900d228fc125d4b452e903103eea4c06481f7c257950d848ecce243729a8"}) as unknown as TypedDocumentString<IssueDeviceCredentialMutation, IssueDeviceCredentialMutationVariables>;
export const JobDocument = new TypedDocumentString(`
    query Job($id: ID!) {
  job(id: $id) {
    id
    kind
    state
    total
    done
    failed
    createdAt
    startedAt
    finishedAt
    error {
      code
      message
    }
  }
}
    `, {"hash":"sha256:37a43a06994b0195838dc61f52afb985b191d7467525be98ccbe742e256f5749"}) as unknown as TypedDocumentString<JobQuery, JobQueryVariables>;
export const JobRowsDocument = new TypedDocumentString(`
    query JobRows($id: ID!, $first: Int! = 100, $after: String, $only: JobRowOnly) {
  job(id: $id) {
    rows(first: $first, after: $after, only: $only) {
      nodes {
        index
        serialNumber
        deviceId
        secret {
          claimCode
          claimText
          connectionString
          secretsAlreadyShown
        }
        error {
          code
          message
          path
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `, {"hash":"sha256:58ceaa50cba4c3ee274fa492a086644b0c3a0c97124cf1e602257c6b7edf2409"}) as unknown as TypedDocumentString<JobRowsQuery, JobRowsQueryVariables>;
export const JobsDocument = new TypedDocumentString(`
    query Jobs($tenantId: ID!, $first: Int! = 50, $after: String) {
  tenant(id: $tenantId) {
    jobs(first: $first, after: $after) {
      nodes {
        id
        kind
        state
        total
        done
        failed
        createdAt
        finishedAt
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `, {"hash":"sha256:8c4cf66e3017d2c33143dc374c8b185d195d550a36caf53127ec97e781cd0c29"}) as unknown as TypedDocumentString<JobsQuery, JobsQueryVariables>;
export const LatestReadingsDocument = new TypedDocumentString(`
    query LatestReadings($building: ID!, $quantity: Quantity, $space: ID, $first: Int! = 50, $after: String) {
  building(id: $building) {
    id
    latestReadings(quantity: $quantity, space: $space, first: $first, after: $after) {
      nodes {
        pointId
        spaceId
        quantity
        unit
        value
        observedAt
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `, {"hash":"sha256:d3a2d910c36c53a533c1a6b0a13821f706466c571cf584d388c4dec6c730a60b"}) as unknown as TypedDocumentString<LatestReadingsQuery, LatestReadingsQueryVariables>;
export const MembersDocument = new TypedDocumentString(`
    query Members($tenant: ID!, $first: Int, $after: String) {
  tenant(id: $tenant) {
    members(first: $first, after: $after) {
      nodes {
        personId
        role
        spaces {
          buildingId
          spaceIds
        }
        displayName
        joinedAt
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `, {"hash":"sha256:0942da82cacf69fa74e3d3077270487ac4b7c41657599618bcd5bbccbc3afa80"}) as unknown as TypedDocumentString<MembersQuery, MembersQueryVariables>;
export const MoveDeviceDocument = new TypedDocumentString(`
    mutation MoveDevice($input: MoveDeviceInput!) {
  moveDevice(input: $input) {
    __typename
    ... on MoveDeviceSuccess {
      device {
        id
        building {
          id
        }
        space {
          id
        }
        assignments {
          channel
          from
          to
          point {
            id
          }
        }
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:b8833c6590a4168566ebe8889fc87c040b7b0664c04df38c5e2e5eb3d91320eb"}) as unknown as TypedDocumentString<MoveDeviceMutation, MoveDeviceMutationVariables>;
export const OfferDeviceTransferDocument = new TypedDocumentString(`
    mutation OfferDeviceTransfer($input: OfferDeviceTransferInput!) {
  offerDeviceTransfer(input: $input) {
    __typename
    ... on OfferDeviceTransferSuccess {
      transferId
      expiresAt
      device {
        id
        name
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:12bb6f5b791c2a1b89848e5ea26e7f81a7a1b3e5cd046176dc023652e8f245f3"}) as unknown as TypedDocumentString<OfferDeviceTransferMutation, OfferDeviceTransferMutationVariables>;
export const OfferGrantDocument = new TypedDocumentString(`
    mutation OfferGrant($input: OfferGrantInput!) {
  offerGrant(input: $input) {
    __typename
    ... on OfferGrantSuccess {
      grant {
        id
        state
        role
        until
      }
      grantCode
      secretsAlreadyShown
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:6b46440baa28fe1a5a2e73efbb2361ff0694bd43daf210ec79f3eb928a3408bd"}) as unknown as TypedDocumentString<OfferGrantMutation, OfferGrantMutationVariables>;
export const OnAlertsDocument = new TypedDocumentString(`
    subscription OnAlerts($buildings: [ID!]!, $minimumSeverity: AlertSeverity, $after: String) {
  alerts(
    buildingIds: $buildings
    minimumSeverity: $minimumSeverity
    after: $after
  ) {
    __typename
    ... on ActiveAlert {
      alert {
        ...AlertParts
      }
    }
    ... on AlertChanged {
      change
      at
      number
      cursor
      alert {
        ...AlertParts
      }
    }
    ... on AlertsMissed {
      buildingId
      fromNumber
      toNumber
    }
    ... on AlertsCaughtUp {
      cursor
    }
  }
}
    fragment AlertParts on Alert {
  id
  buildingId
  spaceId
  deviceId
  quantity
  severity
  state
  ruleName
  value
  unit
  onset
  raisedAt
  clearedAt
}`, {"hash":"sha256:2936f9c7c9c67786fb328d33832165775d0f402fde8fca28055aa4ec727ee619"}) as unknown as TypedDocumentString<OnAlertsSubscription, OnAlertsSubscriptionVariables>;
export const OnBuildingAverageDocument = new TypedDocumentString(`
    subscription OnBuildingAverage($building: ID!, $quantity: Quantity, $minInterval: Duration, $after: String, $corrections: Boolean) {
  buildingAverage(
    building: $building
    quantity: $quantity
    minInterval: $minInterval
    after: $after
    corrections: $corrections
  ) {
    quantity
    unit
    mean
    minimum
    maximum
    readings
    devicesReporting
    devicesExpected
    windowStart
    windowEnd
    asOf
    lastReadingAt
    position {
      incarnation
      partition
      sequence
    }
    revision
    delivery
    gap {
      from
      to
    }
    cursor
  }
}
    `, {"hash":"sha256:c64ef379d16672f8be4e5b93e167ca25f7c176845246d05260bfaa2518b5ebda"}) as unknown as TypedDocumentString<OnBuildingAverageSubscription, OnBuildingAverageSubscriptionVariables>;
export const OnBuildingAveragesDocument = new TypedDocumentString(`
    subscription OnBuildingAverages($buildings: [ID!]!, $quantity: Quantity, $minInterval: Duration, $after: [String!], $corrections: Boolean) {
  buildingAverages(
    buildingIds: $buildings
    quantity: $quantity
    minInterval: $minInterval
    after: $after
    corrections: $corrections
  ) {
    buildingId
    quantity
    mean
    readings
    devicesReporting
    devicesExpected
    windowEnd
    delivery
    gap {
      from
      to
    }
    cursor
  }
}
    `, {"hash":"sha256:b83095469b2bea486c90794375c2d5d5e51b0bff0c2778a607d6f0d6e42e534d"}) as unknown as TypedDocumentString<OnBuildingAveragesSubscription, OnBuildingAveragesSubscriptionVariables>;
export const OnDeviceStatusDocument = new TypedDocumentString(`
    subscription OnDeviceStatus($building: ID, $devices: [ID!], $minInterval: Duration) {
  deviceStatus(
    building: $building
    deviceIds: $devices
    minInterval: $minInterval
  ) {
    deviceId
    buildingId
    state
    lastSeenAt
    lastProtocol
  }
}
    `, {"hash":"sha256:fb78fc48497b3c9506fd2b842d7ea66c5ab8ce5926f0e73e8a3682081f93c745"}) as unknown as TypedDocumentString<OnDeviceStatusSubscription, OnDeviceStatusSubscriptionVariables>;
export const ProvisionDevicesDocument = new TypedDocumentString(`
    mutation ProvisionDevices($input: ProvisionDevicesInput!) {
  provisionDevices(input: $input) {
    __typename
    ... on ProvisionDevicesSuccess {
      devices {
        device {
          id
          name
          model
          serialNumber
          state
        }
        connectionString
        secretsAlreadyShown
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:b8e888cbe2b95a176c397e4c0978bb24834cd2ad2205bcd79f2a309fae7749ca"}) as unknown as TypedDocumentString<ProvisionDevicesMutation, ProvisionDevicesMutationVariables>;
export const ProvisionDevicesJobDocument = new TypedDocumentString(`
    mutation ProvisionDevicesJob($input: ProvisionDevicesInput!) {
  provisionDevicesJob(input: $input) {
    __typename
    ... on ProvisionDevicesJobSuccess {
      job {
        id
        state
        total
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:7b4240883574777d7d8bcf31ca2c150ecb2c1df801d3ef323f87f218a2049332"}) as unknown as TypedDocumentString<ProvisionDevicesJobMutation, ProvisionDevicesJobMutationVariables>;
export const ReadingHistoryDocument = new TypedDocumentString(`
    query ReadingHistory($building: ID!, $quantity: Quantity!, $from: DateTime!, $to: DateTime!, $step: CalendarDuration!) {
  building(id: $building) {
    id
    timeZone
    history(quantity: $quantity, from: $from, to: $to, step: $step) {
      start
      end
      count
      average
      minimum
      maximum
    }
  }
}
    `, {"hash":"sha256:a238b5996325d3d5f67e39c391e742de09e24074e26d44e6c8cef2be060c6e4f"}) as unknown as TypedDocumentString<ReadingHistoryQuery, ReadingHistoryQueryVariables>;
export const ReadingsDocument = new TypedDocumentString(`
    query Readings($building: ID!, $from: DateTime!, $to: DateTime!, $quantity: Quantity, $space: ID, $device: ID, $point: ID, $first: Int! = 50, $after: String) {
  building(id: $building) {
    id
    readings(
      from: $from
      to: $to
      quantity: $quantity
      space: $space
      device: $device
      point: $point
      first: $first
      after: $after
    ) {
      nodes {
        pointId
        spaceId
        deviceId
        quantity
        unit
        value
        observedAt
        receivedAt
        timeSource
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `, {"hash":"sha256:809f6bbc6b0082a6d02ee7a0f177c75d56728e10a5dba0e988d88229e35a2bd9"}) as unknown as TypedDocumentString<ReadingsQuery, ReadingsQueryVariables>;
export const RedeliverWebhookDocument = new TypedDocumentString(`
    mutation RedeliverWebhook($input: RedeliverWebhookInput!) {
  redeliverWebhook(input: $input) {
    __typename
    ... on RedeliverWebhookSuccess {
      delivery {
        id
        state
        nextAttemptAt
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:773896a523b666ca0a29bf937614c44a12b15ae458cf031309dc77fdcf79a829"}) as unknown as TypedDocumentString<RedeliverWebhookMutation, RedeliverWebhookMutationVariables>;
export const RegisterDevicesDocument = new TypedDocumentString(`
    mutation RegisterDevices($input: RegisterDevicesInput!) {
  registerDevices(input: $input) {
    __typename
    ... on RegisterDevicesSuccess {
      job {
        id
        state
        total
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:5e0b546596cc7d072c441f6223dba093baa9144ebb4682bfb62638973cbed335"}) as unknown as TypedDocumentString<RegisterDevicesMutation, RegisterDevicesMutationVariables>;
export const RegisterDocumentsDocument = new TypedDocumentString(`
    mutation RegisterDocuments($input: RegisterDocumentsInput!) {
  registerDocuments(input: $input) {
    __typename
    ... on RegisterDocumentsSuccess {
      documents {
        documentId
        clients
      }
    }
    ... on InvalidDocumentsError {
      problems {
        documentId
        index
        message
        line
        column
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:c7a72116f3f3264b9c51278f538da3d9f398ea147e17de373a81cbf0318bb188"}) as unknown as TypedDocumentString<RegisterDocumentsMutation, RegisterDocumentsMutationVariables>;
export const RegisteredDevicesDocument = new TypedDocumentString(`
    query RegisteredDevices($tenant: ID!, $first: Int = 50, $after: String) {
  tenant(id: $tenant) {
    id
    registeredDevices(first: $first, after: $after) {
      nodes {
        id
        serialNumber
        model
        state
        enrollmentGroupId
        createdAt
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `, {"hash":"sha256:daea46032ad79a75ccb079f16ff8d6a83617373af948b1080d3f7da7d2f15b0c"}) as unknown as TypedDocumentString<RegisteredDevicesQuery, RegisteredDevicesQueryVariables>;
export const ReissueClaimCodeDocument = new TypedDocumentString(`
    mutation ReissueClaimCode($input: ReissueClaimCodeInput!) {
  reissueClaimCode(input: $input) {
    __typename
    ... on ReissueClaimCodeSuccess {
      device {
        id
        serialNumber
        model
      }
      claimCode
      claimText
      secretsAlreadyShown
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:c749fb3d505d504ba17f5f39b6e3662949e095872b07529379d4146e43edcd4c"}) as unknown as TypedDocumentString<ReissueClaimCodeMutation, ReissueClaimCodeMutationVariables>;
export const RemoveMemberDocument = new TypedDocumentString(`
    mutation RemoveMember($input: RemoveMemberInput!) {
  removeMember(input: $input) {
    __typename
    ... on RemoveMemberSuccess {
      personId
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:e65abeddacd95d1b23b5ce16a7581dec2333d3eba86d122f5c27676c8ff3d6ce"}) as unknown as TypedDocumentString<RemoveMemberMutation, RemoveMemberMutationVariables>;
export const ReplaceDeviceDocument = new TypedDocumentString(`
    mutation ReplaceDevice($input: ReplaceDeviceInput!) {
  replaceDevice(input: $input) {
    __typename
    ... on ReplaceDeviceSuccess {
      device {
        id
        name
        model
        serialNumber
        state
        building {
          id
        }
        space {
          id
        }
      }
      connectionString
      secretsAlreadyShown
      keyedByManufacturer
      replaced {
        id
        state
        retiredAt
      }
    }
    ... on UserError {
      code
      message
      path
    }
    ... on TooManyAttemptsError {
      retryAfterSeconds
    }
  }
}
    `, {"hash":"sha256:ad1c5f7835839a4f3a403765155c31f8244f7a3f4f6f45de1d39b385056e3fd7"}) as unknown as TypedDocumentString<ReplaceDeviceMutation, ReplaceDeviceMutationVariables>;
export const ReplayDeadLettersDocument = new TypedDocumentString(`
    mutation ReplayDeadLetters($input: ReplayDeadLettersInput!) {
  replayDeadLetters(input: $input) {
    ... on ReplayDeadLettersSuccess {
      job {
        id
        state
        total
        done
        failed
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:238724328c69500ddcfb9fadcc5820a62778f5edcd5ff1bec6fb943a4a7191e0"}) as unknown as TypedDocumentString<ReplayDeadLettersMutation, ReplayDeadLettersMutationVariables>;
export const ResumeDeviceDocument = new TypedDocumentString(`
    mutation ResumeDevice($input: ResumeDeviceInput!) {
  resumeDevice(input: $input) {
    __typename
    ... on ResumeDeviceSuccess {
      device {
        id
        name
        state
        suspendedAt
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:979862b7ef4daadae0209884e37f08b81822a1854f3e27d21b0b62080c464152"}) as unknown as TypedDocumentString<ResumeDeviceMutation, ResumeDeviceMutationVariables>;
export const RetireDeviceDocument = new TypedDocumentString(`
    mutation RetireDevice($input: RetireDeviceInput!) {
  retireDevice(input: $input) {
    __typename
    ... on RetireDeviceSuccess {
      device {
        id
        name
        state
        retiredAt
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:61ca9fb7f63c98a0182cbe4de2d14dac40232bd70c65d07635da576db265693b"}) as unknown as TypedDocumentString<RetireDeviceMutation, RetireDeviceMutationVariables>;
export const RetireDocumentsDocument = new TypedDocumentString(`
    mutation RetireDocuments($input: RetireDocumentsInput!) {
  retireDocuments(input: $input) {
    __typename
    ... on RetireDocumentsSuccess {
      documentIds
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:c9d8f656447c8db0e957d6300689972fe7b25f0dcb85fa7b4a767a3a9828ee6b"}) as unknown as TypedDocumentString<RetireDocumentsMutation, RetireDocumentsMutationVariables>;
export const RetireRegisteredDeviceDocument = new TypedDocumentString(`
    mutation RetireRegisteredDevice($input: RetireRegisteredDeviceInput!) {
  retireRegisteredDevice(input: $input) {
    __typename
    ... on RetireRegisteredDeviceSuccess {
      device {
        id
        serialNumber
        state
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:596159980262de9823b958f70f5ccb2eb5c3b2ea675f2432907a782eaac44b24"}) as unknown as TypedDocumentString<RetireRegisteredDeviceMutation, RetireRegisteredDeviceMutationVariables>;
export const RevokeApiKeyDocument = new TypedDocumentString(`
    mutation RevokeApiKey($input: RevokeApiKeyInput!) {
  revokeApiKey(input: $input) {
    __typename
    ... on RevokeApiKeySuccess {
      apiKey {
        id
        revokedAt
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:5606c82f4ed82e7dc85137f76fe62db26f503e4b5906b375ed0bb395a1b0d804"}) as unknown as TypedDocumentString<RevokeApiKeyMutation, RevokeApiKeyMutationVariables>;
export const RevokeColdStoreAccessDocument = new TypedDocumentString(`
    mutation RevokeColdStoreAccess($input: RevokeColdStoreAccessInput!) {
  revokeColdStoreAccess(input: $input) {
    __typename
    ... on RevokeColdStoreAccessSuccess {
      approval {
        personId
        revokedAt
        openUntil
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:c6718db7a1d1164e27d872f92bb571f9a20a371a7c9984d2088184032e5ff7e7"}) as unknown as TypedDocumentString<RevokeColdStoreAccessMutation, RevokeColdStoreAccessMutationVariables>;
export const RevokeGrantDocument = new TypedDocumentString(`
    mutation RevokeGrant($input: RevokeGrantInput!) {
  revokeGrant(input: $input) {
    __typename
    ... on RevokeGrantSuccess {
      grant {
        id
        state
        endedAt
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:ccadf8c9f06cc43e57d3d2a0d7b9defdc457a7a8e2dd03a75978291556fe9217"}) as unknown as TypedDocumentString<RevokeGrantMutation, RevokeGrantMutationVariables>;
export const RevokeInvitationDocument = new TypedDocumentString(`
    mutation RevokeInvitation($input: RevokeInvitationInput!) {
  revokeInvitation(input: $input) {
    __typename
    ... on RevokeInvitationSuccess {
      invitation {
        id
        state
        endedAt
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:cae0c6f206bf99c35b751d5f00098627ea9b6dd84ec90d379788ce87b602e165"}) as unknown as TypedDocumentString<RevokeInvitationMutation, RevokeInvitationMutationVariables>;
export const RotateDeviceCredentialDocument = new TypedDocumentString(`
    mutation RotateDeviceCredential($input: RotateDeviceCredentialInput!) {
  rotateDeviceCredential(input: $input) {
    __typename
    ... on RotateDeviceCredentialSuccess {
      device {
        id
        name
        state
      }
      connectionString
      secretsAlreadyShown
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:a8de3ed91d89f91bdb263d00175b4787baaa88c5928b11684a2c00d8ed30a5ef"}) as unknown as TypedDocumentString<RotateDeviceCredentialMutation, RotateDeviceCredentialMutationVariables>;
export const RotateWebhookSecretDocument = new TypedDocumentString(`
    mutation RotateWebhookSecret($input: RotateWebhookSecretInput!) {
  rotateWebhookSecret(input: $input) {
    __typename
    ... on RotateWebhookSecretSuccess {
      webhook {
        id
        responsible
      }
      secret
      secretsAlreadyShown
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:d3b28f948b357200e2f3017dc30d2a5cd3178ae7b34ceff925534d103c4b013b"}) as unknown as TypedDocumentString<RotateWebhookSecretMutation, RotateWebhookSecretMutationVariables>;
export const SetDeviceConfigurationDocument = new TypedDocumentString(`
    mutation SetDeviceConfiguration($input: SetDeviceConfigurationInput!) {
  setDeviceConfiguration(input: $input) {
    __typename
    ... on SetDeviceConfigurationSuccess {
      device {
        id
        name
      }
      configuration {
        desired
        desiredVersion
        desiredAt
        reported
        reportedVersion
        reportedAt
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:604d1da6d67739e5e5ba1d367ccfaae3bdeb475ee63145ae09cae1efbfa1e0ee"}) as unknown as TypedDocumentString<SetDeviceConfigurationMutation, SetDeviceConfigurationMutationVariables>;
export const SetDeviceIntervalDocument = new TypedDocumentString(`
    mutation SetDeviceInterval($input: SetDeviceIntervalInput!) {
  setDeviceInterval(input: $input) {
    __typename
    ... on SetDeviceIntervalSuccess {
      device {
        id
        intervalSeconds
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:3325f8f28f581f1fd83a055215857267b77933be7bfae3d6047ae03bc4957989"}) as unknown as TypedDocumentString<SetDeviceIntervalMutation, SetDeviceIntervalMutationVariables>;
export const SetDeviceParentDocument = new TypedDocumentString(`
    mutation SetDeviceParent($input: SetDeviceParentInput!) {
  setDeviceParent(input: $input) {
    __typename
    ... on SetDeviceParentSuccess {
      device {
        id
        name
        parent {
          id
          name
        }
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:70fcadb979ff679248f939587275fae643c5445b956fe6a5c1be849a5babfb1f"}) as unknown as TypedDocumentString<SetDeviceParentMutation, SetDeviceParentMutationVariables>;
export const SetPresenceRevealingDocument = new TypedDocumentString(`
    mutation SetPresenceRevealing($input: SetPresenceRevealingInput!) {
  setPresenceRevealing(input: $input) {
    ... on SetPresenceRevealingSuccess {
      building {
        id
        presenceRevealing
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:ad862a7d6bb6fb10a75305488946822a14b1998ffa4dee27083d94a73d466a9d"}) as unknown as TypedDocumentString<SetPresenceRevealingMutation, SetPresenceRevealingMutationVariables>;
export const SharedWithMeDocument = new TypedDocumentString(`
    query SharedWithMe {
  viewer {
    grants {
      id
      state
      ownerName
      buildingId
      spaceId
      quantities
      role
      until
    }
  }
}
    `, {"hash":"sha256:bfe94faee69ecb9c39fdf31f4189b76efbdc020b49be49996ddef4a6600fcc80"}) as unknown as TypedDocumentString<SharedWithMeQuery, SharedWithMeQueryVariables>;
export const SpacesNowDocument = new TypedDocumentString(`
    query SpacesNow($building: ID!) {
  building(id: $building) {
    id
    spaces {
      id
      name
      averages {
        quantity
        unit
        mean
        deviceMean
        minimum
        maximum
        readings
        devicesReporting
        windowEnd
        lastReadingAt
      }
    }
  }
}
    `, {"hash":"sha256:88287266dc3d8aa71c9bb0b647d60d2128eea96dcfa7f8a9fb4476bd9643a4b3"}) as unknown as TypedDocumentString<SpacesNowQuery, SpacesNowQueryVariables>;
export const StatesNowDocument = new TypedDocumentString(`
    query StatesNow($building: ID!) {
  building(id: $building) {
    id
    states {
      ...StateNow
    }
    spaces {
      id
      name
      states {
        ...StateNow
      }
    }
  }
}
    fragment StateNow on PlaceState {
  quantity
  active
  clear
  activeShare
  changedAt
  lastReadingAt
  at
  position {
    incarnation
    partition
    sequence
  }
}`, {"hash":"sha256:3dc44b943885e076eeac161345ce89ea1bd8807598c0dd4e2e0d6a11d61ceca1"}) as unknown as TypedDocumentString<StatesNowQuery, StatesNowQueryVariables>;
export const SuspendDeviceDocument = new TypedDocumentString(`
    mutation SuspendDevice($input: SuspendDeviceInput!) {
  suspendDevice(input: $input) {
    __typename
    ... on SuspendDeviceSuccess {
      device {
        id
        name
        state
        suspendedAt
        suspensionReason
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:75a7fc0f5e5f1efa7001a197855d9143a92c1d5d331a93939128bc1bd21884e1"}) as unknown as TypedDocumentString<SuspendDeviceMutation, SuspendDeviceMutationVariables>;
export const TenantAuditLogDocument = new TypedDocumentString(`
    query TenantAuditLog($tenant: ID!, $first: Int! = 50, $after: String, $from: DateTime, $to: DateTime, $subject: ID, $action: String) {
  tenant(id: $tenant) {
    id
    auditLog(
      first: $first
      after: $after
      from: $from
      to: $to
      subject: $subject
      action: $action
    ) {
      nodes {
        id
        at
        actor
        from {
          address
          transport
        }
        action
        subject
        before
        after
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `, {"hash":"sha256:5f17865f048d326f482070a52fcf8542ef1769cb422421bcd1c52571ad7a1b18"}) as unknown as TypedDocumentString<TenantAuditLogQuery, TenantAuditLogQueryVariables>;
export const TrustedDocumentsDocument = new TypedDocumentString(`
    query TrustedDocuments($tenant: ID!, $client: String, $first: Int, $after: String) {
  tenant(id: $tenant) {
    id
    trustedDocuments(client: $client, first: $first, after: $after) {
      nodes {
        documentId
        clients
        registeredAt
        registeredBy
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `, {"hash":"sha256:9952f5c4a22eae47cc755b92900dd911a17c21abe42a115c75100479d6fe0d77"}) as unknown as TypedDocumentString<TrustedDocumentsQuery, TrustedDocumentsQueryVariables>;
export const ViewerDocument = new TypedDocumentString(`
    query Viewer {
  viewer {
    id
    email
    tenants {
      role
      tenant {
        id
        name
      }
    }
  }
}
    `, {"hash":"sha256:986c1fb1e1e54afd31257767dabd6178066d7c098f0e5fbf8ef0ad63ae948fa2"}) as unknown as TypedDocumentString<ViewerQuery, ViewerQueryVariables>;
export const WebhookDeliveriesDocument = new TypedDocumentString(`
    query WebhookDeliveries($webhook: ID!, $first: Int, $after: String) {
  node(id: $webhook) {
    id
    ... on Webhook {
      deliveries(first: $first, after: $after) {
        nodes {
          id
          type
          state
          createdAt
          nextAttemptAt
          attempts {
            at
            status
            problem
            milliseconds
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
}
    `, {"hash":"sha256:b013a43c028dd4ce4edefc8967f8acdef9d287cd304765451315c9088492ff59"}) as unknown as TypedDocumentString<WebhookDeliveriesQuery, WebhookDeliveriesQueryVariables>;
export const WebhooksDocument = new TypedDocumentString(`
    query Webhooks($tenant: ID!, $first: Int, $after: String) {
  tenant(id: $tenant) {
    webhooks(first: $first, after: $after) {
      nodes {
        id
        name
        url
        minimumSeverity
        buildingIds
        responsible
        createdAt
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `, {"hash":"sha256:1a617807bcda8eb1807092e48e8c5b9f6f486d158526d68034d240f78d3300b1"}) as unknown as TypedDocumentString<WebhooksQuery, WebhooksQueryVariables>;
export const WithdrawDeviceTransferDocument = new TypedDocumentString(`
    mutation WithdrawDeviceTransfer($input: WithdrawDeviceTransferInput!) {
  withdrawDeviceTransfer(input: $input) {
    __typename
    ... on WithdrawDeviceTransferSuccess {
      device {
        id
        name
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:3c70decec17d08a12a11f4b241dd4ddccb2a368a80a7ea2607e684b633dec2b1"}) as unknown as TypedDocumentString<WithdrawDeviceTransferMutation, WithdrawDeviceTransferMutationVariables>;
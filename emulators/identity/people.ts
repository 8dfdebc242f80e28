/**
 * The people whom the stand-in signs in. A subject is stable: memberships are kept under `(issuer, subject)`.
 *
 * `tenant` and `role` are hints for whoever seeds the demo; the provider itself knows no rights and puts none in a token.
 */
export interface DemoPerson {
  email: string;
  subject: string;
  name: string;
  /** Null: of no tenant. */
  tenant: 'north' | 'south' | null;
  role: 'OWNER' | 'MANAGER' | 'TECHNICIAN' | 'VIEWER' | 'OPERATOR';
}

export const DEMO_PEOPLE: readonly DemoPerson[] = [
  person('owner@north.example', 'demo-north-owner', 'Nora Owner', 'north', 'OWNER'),
  person('manager@north.example', 'demo-north-manager', 'Malik Manager', 'north', 'MANAGER'),
  person('technician@north.example', 'demo-north-technician', 'Tilda Technician', 'north', 'TECHNICIAN'),
  person('viewer@north.example', 'demo-north-viewer', 'Viktor Viewer', 'north', 'VIEWER'),
  person('owner@south.example', 'demo-south-owner', 'Sol Owner', 'south', 'OWNER'),
  person('operator@atrium.example', 'demo-operator', 'Olga Operator', null, 'OPERATOR'),
];

export function demoPersonByEmail(email: string): DemoPerson | undefined {
  return DEMO_PEOPLE.find((each) => each.email === email.toLowerCase());
}

export function demoPersonBySubject(subject: string): DemoPerson | undefined {
  return DEMO_PEOPLE.find((each) => each.subject === subject);
}

function person(
  email: string,
  subject: string,
  name: string,
  tenant: DemoPerson['tenant'],
  role: DemoPerson['role'],
): DemoPerson {
  return { email, subject, name, tenant, role };
}

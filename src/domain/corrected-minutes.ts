/** Which minutes of the rolling record of a building and quantity were corrected by readings that came late. */
export interface CorrectedMinutes {
  tenantId: string;
  buildingId: string;
  /** `Quantity.code`. */
  quantity: number;
  /** Of their window's end, since 1970; at most those of the allowed lateness. */
  minutes: readonly number[];
}

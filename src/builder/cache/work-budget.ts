/** How much of this machine's files may be looked at on behalf of others. Used up as files are listed and read. */
export interface WorkBudget {
  /** Files and folders to list. */
  items: number;
  /** Content to read (bytes). */
  bytes: number;
}

/** There is more than the budget allows. */
export class BudgetSpentError extends Error {}

/** Takes from a budget. Throws if it is used up. */
export function spend(budget: WorkBudget | undefined, { items = 0, bytes = 0 }: Partial<WorkBudget>): void {
  if (budget === undefined) return;
  budget.items -= items;
  budget.bytes -= bytes;
  if (budget.items < 0 || budget.bytes < 0) throw new BudgetSpentError('there is more than is looked at');
}

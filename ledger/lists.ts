/** Lists that are kept in great numbers, without room to grow: one that has been pushed to takes 152 bytes and more. */

const NOTHING: readonly never[] = [];

/** A copy; of an empty list the one that all share. */
export function exact<T>(list: readonly T[]): readonly T[] {
  return list.length === 0 ? NOTHING : list.slice();
}

/** One more. The first few without `concat`, which is slow. */
export function appended<T>(list: readonly T[], one: T): readonly T[] {
  switch (list.length) {
    case 0:
      return [one];
    case 1:
      return [list[0]!, one];
    case 2:
      return [list[0]!, list[1]!, one];
    case 3:
      return [list[0]!, list[1]!, list[2]!, one];
    default:
      return list.concat(one);
  }
}

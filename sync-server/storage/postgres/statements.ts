/** Bytes of a row's value: a larger value is stored in pieces. */
export const PIECE_BYTES = 1024 * 1024

/** The only row of `node` and `beat`: one server at a time has the database, unless a cluster has it. */
const ROW = 1

/** The row whose epoch every write locks: that of the single server, or a cluster node's own one. */
export interface FenceRow {
  table: 'node' | 'nodes'
  /** As SQL. */
  id: string
}
const SINGLE: FenceRow = { table: 'node', id: String(ROW) }

/** Makes processes that create the same tables wait for each other: PostgreSQL finds a deadlock otherwise. */
export const oneAtATime = (schema: string): string =>
  `select pg_advisory_xact_lock(hashtext('clawlink tables of ${schema}'));`

/**
 * The tables of a server's schema:
 *   `node`  the server that has the database: its epoch, which each owner raises, and who it is; the database's own id
 *   `beat`  a counter that the server raises each second; apart from `node`, whose row every write locks
 *   `kv`    the records, in the order of their keys; `n` of `pieces`
 */
export const createTables = (schema: string, id: string): string => `
  ${oneAtATime(schema)}
  create schema if not exists ${schema};
  create table ${schema}.node (id int primary key, epoch bigint not null, holder text, about text, database text not null);
  create table ${schema}.beat (id int primary key, n bigint not null);
  create table ${schema}.kv (
    k bytea not null, n int not null, pieces int not null, v bytea not null, primary key (k, n)
  ) with (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.1,
    toast.autovacuum_vacuum_scale_factor = 0.02
  );
  alter table ${schema}.kv alter column v set storage external;
  insert into ${schema}.node values (${ROW}, 0, null, null, '${id}');
  insert into ${schema}.beat values (${ROW}, 0);`

export const hasTables = (schema: string): string =>
  `select to_regclass('${schema}.kv') is not null as found`

/** The id of the database. */
export const database = (schema: string): string =>
  `select database from ${schema}.node where id = ${ROW}`

/** Takes the database, whoever has it; waits for that one's write under way. $1: the new holder, $2: about it. */
export const take = (schema: string): string =>
  `update ${schema}.node set epoch = epoch + 1, holder = $1, about = $2 where id = ${ROW} returning epoch`

/** The same, unless it is another's than $3 (null: nobody's) by now. */
export const takeFrom = (schema: string): string =>
  `update ${schema}.node set epoch = epoch + 1, holder = $1, about = $2
   where id = ${ROW} and holder is not distinct from $3 returning epoch`

/** $1: the holder that gives it up. */
export const release = (schema: string): string =>
  `update ${schema}.node set holder = null, about = null where id = ${ROW} and holder = $1`

/** The epoch now, after a sign of life of holder $1. */
export const beat = (schema: string): string =>
  `with alive as (
     update ${schema}.beat set n = n + 1
     where id = ${ROW} and exists (select 1 from ${schema}.node where id = ${ROW} and holder = $1)
   )
   select epoch from ${schema}.node where id = ${ROW}`

export const holderNow = (schema: string): string =>
  `select node.holder, node.about, beat.n from ${schema}.node, ${schema}.beat
   where node.id = ${ROW} and beat.id = ${ROW}`

/**
 * The fence: no row unless the epoch is $1. The lock makes whoever raises the epoch wait for this statement; without it
 * a write could be stored after the next owner has read. It must be `for share`: `for key share` does not conflict
 * with the update of the epoch, and an advisory lock is taken after the statement's snapshot.
 */
export const fence = (schema: string, { table, id }: FenceRow): string =>
  `with fence as materialized (select 1 from ${schema}.${table} where id = ${id} and epoch = $1 for share)`

/** Rows cut out of the one binary parameter $2: an array of values would be sent as text, twice the size. */
const rows = `select substring($2::bytea from ko for kl), n, pieces, substring($2::bytea from vo for vl)
  from fence, unnest($3::int[], $4::int[], $5::int[], $6::int[], $7::int[], $8::int[]) t(ko, kl, n, pieces, vo, vl)`

/** Stores rows that have to be new, all or none: as many as there are, or none if the epoch is another. */
export const insertNew = (schema: string, row = SINGLE): string =>
  `${fence(schema, row)} insert into ${schema}.kv ${rows}`

/**
 * Stores rows of which the first $9 have to be new, and removes pieces from number `from` on of the keys ($10 to $12).
 * Returns the rows of the fence: 0 if nothing is stored.
 */
export const write = (schema: string, row = SINGLE): string =>
  `${fence(schema, row)},
   removed as (
     delete from ${schema}.kv using fence,
       (select substring($2::bytea from ko for kl) k, first
        from unnest($10::int[], $11::int[], $12::int[]) t(ko, kl, first)) gone
     where kv.k = gone.k and kv.n >= gone.first
   ),
   fresh as (insert into ${schema}.kv ${rowsWith('ordinal <= $9')}),
   others as (
     insert into ${schema}.kv ${rowsWith('ordinal > $9')}
     on conflict (k, n) do update set pieces = excluded.pieces, v = excluded.v
   )
   select count(*)::int as fences from fence`

const rowsWith = (condition: string): string =>
  `${rows.replace(') t(ko, kl, n, pieces, vo, vl)', ') with ordinality t(ko, kl, n, pieces, vo, vl, ordinal)')}
   where ${condition}`

/** Removes the keys from $2 on and before $3. */
export const clear = (schema: string, row = SINGLE): string =>
  `${fence(schema, row)},
   removed as (delete from ${schema}.kv using fence where k >= $2 and k < $3)
   select count(*)::int as fences from fence`

/**
 * Longer values (bytes) are read by COPY, which sends bytes as they are: in rows they are text, of twice the size, and cost
 * about 80 ms per MB on a machine on which COPY costs 25.
 */
export const LARGE_BYTES = 32 * 1024
/** Bytes of a value that COPY sends at once: the driver copies a longer row several times while it comes in. */
const SLICE_BYTES = 64 * 1024

const small = `case when octet_length(v) <= ${LARGE_BYTES} then v end as v`

/** The rows of the keys $1; `v` null: it is large. */
export const get = (schema: string): string =>
  `select k, pieces, ${small} from ${schema}.kv where k = any($1::bytea[]) order by k, n`

/** The bounds of a page; each is a parameter or a literal. */
interface Page {
  k: string
  n: string
  /** The key before which it ends; in reverse the last one that it may have. */
  end: string
  rows: string
  bytes: string
}

const PARAMETERS: Page = { k: '$1', n: '$2::int', end: '$3', rows: '$4', bytes: '$5' }

/**
 * Rows after ($1, $2) and before the key $3, in reverse before ($1, $2) and not before $3, the last one first: at most $4, and
 * none after their sizes reach $5 bytes. `v` null: it is large.
 */
export const range = (schema: string, isReverse: boolean): string =>
  `select k, n, pieces, total, ${small} from (${page(schema, isReverse, PARAMETERS)}) page
   order by ${orderOf(isReverse)}`

const orderOf = (isReverse: boolean): string => (isReverse ? 'k desc, n desc' : 'k, n')

const page = (schema: string, isReverse: boolean, { k, n, end, rows, bytes }: Page): string => {
  const order = orderOf(isReverse)
  const from = isReverse
    ? `where (k, n) < (${k}, ${n}) and k >= ${end}`
    : `where (k, n) > (${k}, ${n}) and k < ${end}`
  return `select k, n, pieces, v, total from (
     select k, n, pieces, v, count(*) over ()::int as total,
       sum(octet_length(v)) over (order by ${order} rows between unbounded preceding and 1 preceding) as before
     from (select * from ${schema}.kv ${from} order by ${order} limit ${rows}) range
   ) page where before is null or before < ${bytes}`
}

/** The same page by COPY (copied.ts), which has no parameters. */
export const copyRange = (
  schema: string,
  isReverse: boolean,
  last: { k: Buffer; n: number },
  end: Buffer,
  rows: number,
  bytes: number,
): string => {
  const [n, most, size] = [last.n, rows, bytes].map(integer) as [string, string, string]
  const at = { k: literal(last.k), n, end: literal(end), rows: most, bytes: size }
  return copy(page(schema, isReverse, at), orderOf(isReverse))
}

/** The rows of keys by COPY. */
export const copyKeys = (schema: string, keys: readonly Buffer[]): string =>
  copy(
    `select k, n, pieces, v, 0 as total from ${schema}.kv where k in (${keys.map(literal).join()})`,
    orderOf(false),
  )

/** Sorted before they are cut: a sort of slices would hold all of them. */
const copy = (rows: string, order: string): string =>
  `copy (
     select k, n, pieces, total, octet_length(v), substring(v from slice * ${SLICE_BYTES} + 1 for ${SLICE_BYTES}) from (
       select k, n, pieces, total, v, slice
       from (${rows}) rows, generate_series(0, (octet_length(v) - 1) / ${SLICE_BYTES}) slice
       order by ${order}, slice
     ) slices
   ) to stdout (format binary)`

/** Hexadecimal, so that nothing in it can end the literal. */
const literal = (bytes: Buffer): string => `decode('${bytes.toString('hex')}', 'hex')`

const integer = (n: number): string => {
  if (!Number.isSafeInteger(n)) throw new TypeError(`not an integer: ${n}`)
  return `(${n})`
}

/** Keys from $1 on and before $2, at most $3 (null: all). */
export const keys = (schema: string, isReverse: boolean): string =>
  `select k from ${schema}.kv where n = 0 and k >= $1 and k < $2
   order by k${isReverse ? ' desc' : ''} limit $3`

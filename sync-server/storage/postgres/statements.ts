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

export const get = (schema: string): string =>
  `select pieces, v from ${schema}.kv where k = $1 order by n`

/** Rows after ($1, $2) and before the key $3: at most $4, and none after their sizes reach $5 bytes. */
export const forward = (schema: string): string =>
  page(`from ${schema}.kv where (k, n) > ($1, $2::int) and k < $3`, 'k, n')

/** Rows before ($1, $2) and not before the key $3, the last one first. */
export const backward = (schema: string): string =>
  page(`from ${schema}.kv where (k, n) < ($1, $2::int) and k >= $3`, 'k desc, n desc')

const page = (from: string, order: string): string =>
  `select k, n, pieces, v, total from (
     select k, n, pieces, v, count(*) over ()::int as total,
       sum(octet_length(v)) over (order by ${order} rows between unbounded preceding and 1 preceding) as before
     from (select * ${from} order by ${order} limit $4) range
   ) page where before is null or before < $5 order by ${order}`

/** Keys from $1 on and before $2, at most $3 (null: all). */
export const keys = (schema: string, isReverse: boolean): string =>
  `select k from ${schema}.kv where n = 0 and k >= $1 and k < $2
   order by k${isReverse ? ' desc' : ''} limit $3`

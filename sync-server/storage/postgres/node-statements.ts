import { type FenceRow, fence, oneAtATime } from './statements.ts'

/** Of the tables below. A node of another version does not start. */
export const CLUSTER_SCHEMA = 1

/** The row of a node; its id is hexadecimal. */
export const rowOf = (id: string): FenceRow => {
  if (!/^[0-9a-f]{8,40}$/.test(id)) throw new Error(`not the id of a node: ${id}`)
  return { table: 'nodes', id: `'${id}'` }
}

/**
 * The tables of a cluster, beside those of a single server:
 *   `nodes`       the nodes: epoch (raised by each registration and by who fences the node), process, address, owner's hash
 *   `beats`       a counter per node, raised each second; apart from `nodes`, whose rows every write locks
 *   `workspaces`  the owner of each workspace that exists; valid while the node's epoch is that one
 *   `cluster`     secrets and settings that the nodes share
 */
export const createCluster = (schema: string): string => `
  ${oneAtATime(schema)}
  create table if not exists ${schema}.nodes (
    id text primary key, epoch bigint not null, holder text not null, is_up boolean not null, url text not null,
    about text not null, version text not null, owner text not null
  );
  create table if not exists ${schema}.beats (id text primary key, n bigint not null);
  create table if not exists ${schema}.workspaces (
    name text collate "C" primary key, node text not null default '', epoch bigint not null default 0
  );
  create index if not exists workspaces_node on ${schema}.workspaces (node, epoch);
  create table if not exists ${schema}.cluster (k text primary key, v text not null);
  insert into ${schema}.cluster values ('schema', '${CLUSTER_SCHEMA}') on conflict do nothing;
  insert into ${schema}.workspaces (name) values ('default') on conflict do nothing;`

export const hasCluster = (schema: string): string =>
  `select to_regclass('${schema}.cluster') is not null as found`

/**
 * Registers node $1 for process $2 under a new epoch, which waits for its write under way. $3 null: whichever process has
 * its row; else no row unless that process has it.
 */
export const register = (schema: string): string =>
  `with beating as (
     insert into ${schema}.beats values ($1, 1) on conflict (id) do update set n = beats.n + 1
   )
   insert into ${schema}.nodes values ($1, 1, $2, true, $4, $5, $6, $7)
   on conflict (id) do update
     set epoch = nodes.epoch + 1, holder = $2, is_up = true, url = $4, about = $5, version = $6, owner = $7
     where $3::text is null or nodes.holder = $3
   returning epoch`

/** Process $2 of node $1 ends: what the node owns is free. */
export const unregister = (schema: string): string =>
  `update ${schema}.nodes set epoch = epoch + 1, is_up = false where id = $1 and holder = $2`

/** Takes node $1 its epoch $2: what it owns is free, and it can store nothing more. Waits for its write under way. */
export const fenceNode = (schema: string): string =>
  `update ${schema}.nodes set epoch = epoch + 1 where id = $1 and epoch = $2`

/** A single server takes the database from all nodes. */
export const fenceAll = (schema: string): string =>
  `update ${schema}.nodes set epoch = epoch + 1, is_up = false where is_up`

/** A sign of life of node $1 in epoch $2; returns what all nodes share and show, as of before it. */
export const look = (schema: string): string =>
  `with alive as (
     update ${schema}.beats set n = n + 1
     where id = $1 and exists (select 1 from ${schema}.nodes where id = $1 and epoch = $2)
   )
   select nodes.*, beats.n, (select v from ${schema}.kv where k = 'r:recovering') as recovering
   from ${schema}.nodes join ${schema}.beats using (id)`

/** The nodes that are up, with their counters. */
export const nodesUp = (schema: string): string =>
  `select nodes.id, nodes.about, beats.n from ${schema}.nodes join ${schema}.beats using (id) where is_up`

export const rows = (schema: string): string =>
  `select nodes.*, beats.n from ${schema}.nodes join ${schema}.beats using (id) order by id`

/** Counts of the workspaces that nodes own. */
export const counts = (schema: string): string =>
  `select nodes.id, count(*)::int as workspaces
   from ${schema}.nodes join ${schema}.workspaces w on w.node = nodes.id and w.epoch = nodes.epoch
   where nodes.is_up group by nodes.id`

/** All nodes with their counters and the counts of what they own, by address. */
export const nodes = (schema: string): string =>
  `select nodes.id, nodes.is_up, nodes.version, nodes.url, nodes.about, beats.n,
     (select count(*)::int from ${schema}.workspaces w
      where nodes.is_up and w.node = nodes.id and w.epoch = nodes.epoch) as workspaces
   from ${schema}.nodes join ${schema}.beats using (id) order by nodes.url, nodes.id`

/** The owner of workspace $1, valid or not; no row: the workspace does not exist. */
export const ownerOf = (schema: string): string =>
  `select w.node, w.epoch, coalesce(nodes.epoch = w.epoch, false) as valid, nodes.url
   from ${schema}.workspaces w left join ${schema}.nodes on nodes.id = w.node where w.name = $1`

/**
 * Claims workspace $2 for node $3 from an owner ($4, $5) that was seen not to be valid any more: by compare-and-set, so
 * that one of several nodes gets it. Epochs only grow, so that owner does not become valid again.
 */
export const claim = (schema: string, row: FenceRow): string =>
  `${fence(schema, row)},
   claimed as (
     update ${schema}.workspaces set node = $3, epoch = $1 from fence
     where name = $2 and node = $4 and workspaces.epoch = $5::bigint returning 1
   )
   select (select count(*)::int from fence) as fences, (select count(*)::int from claimed) as claimed`

/** Makes workspace $2, owned by node $3, unless it exists or there are $4 of them. */
export const create = (schema: string, row: FenceRow): string =>
  `${fence(schema, row)},
   made as (
     insert into ${schema}.workspaces select $2, $3, $1::bigint from fence
     where (select count(*) from ${schema}.workspaces) < $4 on conflict do nothing returning 1
   )
   select (select count(*)::int from fence) as fences, (select count(*)::int from made) as made`

/** Node $3 gives up workspace $2. */
export const giveUp = (schema: string, row: FenceRow): string =>
  `${fence(schema, row)},
   given as (
     update ${schema}.workspaces set node = '', epoch = 0 from fence
     where name = $2 and node = $3 and workspaces.epoch = $1
   )
   select (select count(*)::int from fence) as fences`

/** Adds workspaces $1 that exist and have no row. */
export const addNames = (schema: string): string =>
  `insert into ${schema}.workspaces (name) select unnest($1::text[]) on conflict do nothing`

export const names = (schema: string): string =>
  `select name from ${schema}.workspaces order by name`

/** Keeps the value that is there. */
export const share = (schema: string): string =>
  `insert into ${schema}.cluster values ($1, $2) on conflict do nothing`

export const setShared = (schema: string): string =>
  `insert into ${schema}.cluster values ($1, $2) on conflict (k) do update set v = excluded.v`

export const shared = (schema: string): string => `select v from ${schema}.cluster where k = $1`

/** A row if there is a connection of application $1. */
export const connected = `select 1 from pg_stat_activity where application_name = $1 limit 1`

/** Ends connections of application $1 that keep connection $2 waiting. */
export const endBlockers = `select pg_terminate_backend(pid) from pg_stat_activity
  where application_name = $1 and pid = any (pg_blocking_pids($2))`

const TICKET = `'ticket:' || $1`

/** Keeps ticket $1 for $2 milliseconds, and removes those that are too old. */
export const addTicket = (schema: string): string =>
  `with old as (
     delete from ${schema}.cluster where k like 'ticket:%' and v::timestamptz < now()
   )
   insert into ${schema}.cluster values (${TICKET}, (now() + $2::float8 * interval '1 ms')::text)`

export const hasTicket = (schema: string): string =>
  `select 1 from ${schema}.cluster where k = ${TICKET} and v::timestamptz >= now()`

export const takeTicket = (schema: string): string =>
  `delete from ${schema}.cluster where k = ${TICKET} and v::timestamptz >= now() returning 1`

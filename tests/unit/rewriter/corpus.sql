-- One statement a line. parse_corpus.cpp parses each, prints it, parses that and compares. A line that
-- begins with ~ groups steps that our tree does not group: equal trees, another fingerprint.
select
select 1
select 1, 'a', 1.5, 1e10, .5, 5., 3000000000, 99999999999999999999, null, true, false
select -1, - 1, -(-1), - -1, +1, -1.5, -x, - x, +x, 2147483648, -2147483648, -9223372036854775808
select 'it''s', E'a\nb\'c', U&'d\0061t', $$dollar$$, $tag$a $$ b$tag$, b'0101', x'1F', N'nat', ''
select 'a'
select * from t
select t.* from t
select s.t.*, t.a, s.t.b from s.t
select a as b, b c, c "C d", "select", "Mixed"."Case" from "Order"
select all a from t
select distinct a from t
select distinct on (a) a, b from t order by a, b
select distinct on (a, b + 1) * from t
select from t
select a from only t
select a from t as x(b, c)
select a from t x, u y, s.v
select a from db.s.t
select 1 from t where a = 1 and b = 2 or c = 3 and not d
select 1 from t where (a or b) and (c or d) and e
select 1 from t where not (a and b)
select 1 from t where not not a
select 1 from t where (a and b) and (c and d)
select 1 from t where a and (b and (c or d))
select 1 where a < b and b <= c and c > d and d >= e and e <> f and f != g
select 1 + 2 * 3 - 4 / 5 % 6 ^ 7
select (1 + 2) * 3, 1 - (2 - 3), 1 - 2 - 3, 2 ^ 3 ^ 4, 2 ^ (3 ^ 4), -2 ^ 2, (-2) ^ 2, -(2 ^ 2)
select a || b || c, a || (b || c), a -> 'x' ->> 'y', a #>> '{a,b}', a @> b, @ a, ~ a, a ~ 'x', a !~* 'y'
select |/ 4, ||/ 8, a & b | c # d, a << 1 >> 2, a && b, a <@ b, a ? 'k', a ?| b, a ?& b
select a operator(pg_catalog.+) b, operator(pg_catalog.-) a, a operator("My s".=) b
select a = b is true, (a = b) is not true, a is false, a is not false, a is unknown, a is not unknown
select a is null, a is not null, a isnull, a notnull, (a, b) is null, a + b is null, (a is null) is null
select a is distinct from b, a is not distinct from b + 1
select a between 1 and 2, a not between 1 and 2, a between symmetric 2 and 1, a not between symmetric b + 1 and c * 2
select (a between 1 and 2) and b, a between (b and c) and d
select a in (1, 2, 3), a not in ('x', 'y'), (a, b) in ((1, 2), (3, 4)), a + 1 in (b)
select a in (select b from u), a not in (select b from u), (a, b) in (select c, d from u), not a in (select 1)
select a = any (select 1), a <> all (select 1), a < some (select 1), a = any (array[1, 2]), a = all ($1), a like any (array['x'])
select a = any ((select array[1])), a operator(pg_catalog.=) any (array[1])
select exists (select 1 from t), not exists (select 1), (select 1), array(select 1), (select 1) + 1, (select array[1])[1]
select (a, b) = (select 1, 2), (a, b) < (c, d), row(a, b) = row(1, 2), row(), row(1), (1, 2, 3)
select case when a then 1 end, case when a then 1 when b then 2 else 3 end, case a when 1 then 'x' else 'y' end
select case when a then case when b then 1 else 2 end else 3 end + 1
select coalesce(a, b, 1), nullif(a, ''), greatest(a, b), least(1, 2, 3)
select array[1, 2], array[[1, 2], [3, 4]], array[]::int[], '{1,2}'::int[]
select a[1], a[1:2], a[:2], a[1:], a[:], a[1][2], (array[1, 2])[1], (a || b)[1], a.b[1], $1[1]
select (r).f, (r).*, (f(x)).y, (t.r).f, (r).a.b, $1.f, (row(1, 2)).f1
select a collate "C", a || b collate "de-x-icu", (a || b) collate pg_catalog."C", a collate "C" < b
select a at time zone 'UTC', now() at time zone 'UTC' at time zone 'CET', (a + b) at time zone c
select current_date, current_time, current_time(3), current_timestamp, current_timestamp(6), localtime, localtime(0), localtimestamp, localtimestamp(2)
select current_user, current_role, user, session_user, current_catalog, current_schema
select f(), f(1), f(a, b), s.f(x), "F"(1), f(variadic array[1]), f(1, variadic a), f(a => 1), f(1, b := 2)
select count(*), count(a), count(distinct a), sum(all a), sum(distinct a + b), s.agg(a, b)
select count(*) filter (where a > 1), array_agg(a order by b desc nulls last, c), string_agg(distinct a, ',' order by a)
select percentile_cont(0.5) within group (order by a), mode() within group (order by a desc), rank(1) within group (order by a) filter (where b)
select row_number() over (), rank() over (order by a), sum(a) over (partition by b, c order by d desc nulls first)
select sum(a) over w, count(*) filter (where x) over w from t window w as (partition by b), w2 as (w order by c)
select sum(a) over (w rows unbounded preceding) from t window w as (order by b)
select sum(a) over (order by b rows between 1 preceding and 2 following), sum(a) over (order by b rows between unbounded preceding and unbounded following)
select sum(a) over (order by b range between '1 day' preceding and current row exclude ties), sum(a) over (order by b groups 2 preceding exclude group)
select sum(a) over (order by b rows between current row and unbounded following exclude current row), sum(a) over (rows current row exclude no others)
select a like 'x%', a not like 'x%', a ilike 'x', a not ilike b || '%', a like 'x!%' escape '!', a similar to 'x', a not similar to 'y', a similar to 'x' escape '!'
select extract(year from a), extract('epoch' from now()), date_part('year', a)
select substring(a from 1 for 2), substring(a from 2), substring(a for 3), substring(a, 1, 2), substring(a similar 'x' escape '#'), substring(a from 'x')
select overlay(a placing 'x' from 1 for 2), overlay(a placing 'x' from 1), overlay(a, 'x', 1)
select position('a' in b), position(a || 'x' in b || 'y')
select trim(a), trim(both 'x' from a), trim(leading from a), trim(trailing 'x' from a), trim('x' from a), trim(a, 'x'), btrim(a), ltrim(a, 'x')
select normalize(a), normalize(a, nfc), a is normalized, a is nfkc normalized, a is not normalized
select (a, b) overlaps (c, d), collation for (a), treat(a as int)
select xmlelement(name foo, xmlattributes(a as b), c), xmlconcat(a, b), xmlforest(a, b as c), xmlpi(name x, 'y'), xmlparse(document a), xmlserialize(content a as text), a is document, xmlexists('x' passing by ref a)
select 1::int, a::text, '1'::int4, cast(a as bigint), a::numeric(10, 2), a::varchar(10), a::char(3), a::char, a::bpchar, a::"char", a::name
select a::timestamp, a::timestamp(3), a::timestamptz, a::timestamp with time zone, a::timestamp(3) with time zone, a::time, a::time(2) with time zone, a::timetz
select a::bit, a::bit(8), a::bit varying(8), a::varbit, a::real, a::float, a::float(20), a::float(40), a::double precision, a::dec, a::decimal(5), a::smallint, a::boolean
select a::interval, a::interval(3), a::interval year to month, a::interval day to second(3), interval '1' day, interval '1 day', interval(3) '1 sec', interval '1-2' year to month
select a::int[], a::int[3], a::int[][], a::int array, a::int array[4], a::text[], a::s.t, a::s.t[], a::"T y"(3), a::geometry(point, 4326)
select date '2020-01-01', timestamp '2020-01-01 00:00', float8 '1.5', int '1', s.t 'x', numeric(5, 2) '1.234', time with time zone '12:00+01', char(3) 'abc'
select (a + b)::int, -1::int, (-1)::int, - a::int, (select 1)::text, a::int::text, a[1]::int, (a::int[])[1], f(a)::int, case when a then b end::int
select grouping(a, b), a from t group by a, b
select a from t group by (), a
select a, b from t group by rollup (a, b), cube (c, (d, e)), grouping sets ((a), (a, b), (), rollup (c))
select a from t group by distinct rollup (a, b), rollup (a, c)
select a from t group by (a, b), (a), a + b, row(a, b)
select a, count(*) from t group by 1 having count(*) > 1 and sum(b) is not null
select a from t order by a, b asc, c desc, d nulls first, e desc nulls last, f using <, g using operator(pg_catalog.>), 1, a + b
select a from t limit 10
select a from t limit 10 offset 5
select a from t offset 5 rows fetch first 3 rows only
select a from t order by a fetch first 3 rows with ties
select a from t order by a fetch first row only
select a from t order by a fetch next (1 + 2) rows with ties
select a from t limit all offset null
select a from t limit $1 offset $2 + 1
select a from t limit (select 1)
select a from t for update
select a from t, u for update of t nowait for share of u skip locked
select a from t for no key update
select a from t for key share
select * from t join u on t.a = u.a
select * from t join u using (a, b)
select * from t join u using (a) as j
select * from t inner join u on true left join v on u.x = v.x right outer join w using (y) full join z on false
select * from t cross join u cross join v
select * from t natural join u natural left join v
select * from t join (u join v on u.a = v.a) on t.a = u.a
select * from (t join u on t.a = u.a) as j
select * from (t join u on t.a = u.a) as j(x, y) join v on true
select * from t left join (u cross join v) on true, w join x on true
select * from (select 1) as s
select * from (select 1, 2) s(a, b)
select * from (select a from t) s, lateral (select s.a) l, lateral f(s.a) g
select * from (values (1, 'a'), (2, 'b')) v(x, y)
select * from f(1)
select * from f(1) with ordinality
select * from f(1) as x(a), lateral g(x.a) with ordinality as y(b, n)
select * from f(1) as (a int, b text)
select * from f(1) as x(a int, b text collate "C")
select * from rows from (f(1), g(2)) with ordinality as x(a, b)
select * from rows from (f(1) as (a int), g(2))
select * from generate_series(1, 10) s, unnest(array[1, 2], array[3]) u(a, b), current_date d, coalesce(1, 2) c
select * from t tablesample system (10)
select * from only t tablesample bernoulli (a + 1) repeatable (42), u x tablesample s.m (1, 2)
select * from xmltable('/x' passing a columns b int path 'b' default 3 not null, c for ordinality) x
select * from t, lateral xmltable(xmlnamespaces('u' as n), '/x' passing t.a columns b text) as y(z)
with a as (select 1) select * from a
with a(x, y) as (select 1, 2), b as materialized (select 3), c as not materialized (select * from a) select * from a, b, c
with recursive r(n) as (values (1) union all select n + 1 from r where n < 100) select sum(n) from r
with recursive r as (select 1 as a) search depth first by a set ord select * from r
with recursive r(a, b) as (select 1, 2 union all select * from r) search breadth first by a, b set o cycle a set c to 'Y' default 'N' using p select * from r
with recursive r as (select 1 as a union select a from r) cycle a set is_cycle using path select * from r
with recursive r as (select 1 as a union select a from r) cycle a set c to int '1' default int '0' using path select * from r
with d as (delete from t where a = 1 returning *) insert into u select * from d
with i as (insert into t values (1) returning a), u as (update v set b = 1 returning *) select * from i, u
select * from (with a as (select 1) select * from a) s
select 1 union select 2
select 1 union all select 2 union select 3
select 1 union (select 2 union all select 3)
select 1 union select 2 intersect select 3 except all select 4
(select 1 union select 2) intersect select 3
select 1 intersect (select 2 union select 3)
select 1 except (select 2 except select 3)
(select a from t order by a limit 1) union all (select b from u order by b limit 1) order by 1 limit 5 offset 1
(select a from t for update) union select 2
select 1 union (with x as (select 2) select * from x)
(with x as (select 2) select * from x) union select 1
with x as (select 2) (select * from x) union select 1
values (1)
values (1, 'a', default), (2, 'b', now())
values (1), (2) order by 1 desc limit 1
values (1) union values (2)
table t
select a into b from t
select a into temp b from t
select a into unlogged s.b from t where a = 1
insert into t values (1)
insert into t values (1, 2), (3, 4)
insert into t(a, b) values (1, default)
insert into s.t as x (a, b[1], c.d, e[1:2].f) values (1, 2, 3, 4)
insert into t default values
insert into t(a) select b from u
insert into t(a) (select b from u order by b limit 1)
insert into t select 1 union select 2
insert into t table u
insert into t overriding user value values (1)
insert into t(a) overriding system value select 1
insert into t values (1) on conflict do nothing
insert into t values (1) on conflict (a) do nothing
insert into t values (1) on conflict (a, lower(b), (c + 1), d collate "C" text_ops) where a > 1 do update set b = excluded.b, c = default where t.a < 5
insert into t values (1) on conflict on constraint t_pkey do update set (a, b) = (1, 2), (c, d) = (select 1, 2), e[1] = 3
insert into t values (1) returning *
insert into t values (1) returning a, b + 1 as c
with x as (select 1) insert into t select * from x on conflict do nothing returning a
insert into t values ((select 1), array[1], row(1, 2), -5, 'x'::text, $1)
update t set a = 1
update t set a = 1, b = b + 1 where c = 2
update only s.t as x set a = default where x.b is null returning x.*
update t set (a, b) = (1, default), (c, d) = (select 1, 2), (e) = row(3)
update t set (a, b) = row(1, 2)
update t set (a, b) = (c, d) where e = 1
update t set a[1] = 2, b.c = 3, d[1:2] = '{1,2}'
update t set a = u.b from u, v join w on true where t.id = u.id
with x as (select 1) update t set a = (select * from x) where b in (select 2)
update t set a = 1 where current of c
delete from t
delete from t where a = 1
delete from only t as x where x.a = 1 returning x.b
delete from t using u, v where t.a = u.a
with x as (select 1) delete from t where a in (select * from x) returning *
delete from t where current of "My cursor"
select a from t where a = $1 and b = $2::int and c = any($3::int[])
select sum(a) / count(b), round(avg(x), 2), sum(case when a > 1 then b else 0 end) from t group by c
select a, b, sum(c) from t where d between '2020-01-01' and '2020-12-31' group by a, b order by 3 desc limit 10
select o.id, c.name from orders o join customers c on c.id = o.customer_id and c.tenant = o.tenant where o.tenant = 42 order by o.id
select * from t where a = 1 or a = 2 or (a = 3 and b = 4) or a in (5, 6)
select * from t where (a, b) = (1, 2) and (c, d) >= (3, 4)
select * from t where a is null or a = '' or not a
select * from t where exists (select 1 from u where u.a = t.a and u.b > (select avg(b) from u))
select (select count(*) from u where u.a = t.a) from t
select * from a left join b on a.x = b.x and b.y = 1 where b.x is null
select count(distinct a), count(distinct b) from t
select max(a) - min(a) from t group by b having max(a) > 10 order by max(a) - min(a)
select a + 1 from t group by a + 1
select date_trunc('day', ts) d, count(*) from t group by 1 order by 1
select lag(a, 1) over (partition by b order by c) - a from t
select * from (select a, row_number() over (partition by b order by c desc) rn from t) s where rn <= 3
select a from t where b like 'x%' and c ~ '^y' and d @@ to_tsquery('z')
select 'x'::regclass, 't'::regclass::oid, nextval('s'), currval('s'::regclass)
select json_build_object('a', 1, 'b', a) -> 'a', jsonb_path_query(a, '$.x'), a -> 0 -> 'x' = '1'
select interval '1 day' * 3, now() - interval '1 hour', timestamp '2020-01-01' + 1 * interval '1 month'
select "a""b", 'c''d', "é", 'ü', "a.b"."c d" from "t-1" as "x y"
select left('abc', 1), right('abc', 1), "left"(a, 1), replace(a, 'x', 'y'), "user"(1), pg_catalog.count(a), char_length(a)
select a from t where a = 1; select 2
select 1 as "order", 2 as between_, 3 as value, 4 as "value", 5 as year, 6 as name
select a.b.c.d from x
select * from t t1, t t2 where t1.a = t2.a and t1 is not null and t1.* is not distinct from t2.*
select t from t
select count(t), count(t.*), row_to_json(t.*), f(t) from t
select a from t order by (select 1), case when a then 1 else 2 end desc
select ((((1))))
select (((a))), ((a + b)), ((select 1))
select not a = b, not a in (1), not (a is null), not a like 'x', (not a) = b
select a = (b = c), (a = b) = c, (a < b) = (c > d)
select (a is null) = b, (a in (1)) is null, (a like b) like c, (a between 1 and 2) between b and c
select (a = any (array[1])) = b, b = (a = any (array[1]))
select -(-a), - - a, +(-a), -(+a), -(a + b), -a + -b, a - -b, a - (-b), a - -1, a * -1, a::int - 1
select operator(=) b, operator(*) 5, operator(pg_catalog.-) 5, operator(~) 1
select @ -5, @ (a), ! a, !! 5, ~ ~ 1
select (a || b) || c || (d || e), (a + b) || c, a + (b || c), a || b + c, (a || b) + c
select a < (b || c), (a < b) || c, a is null and b is null, (a and b) is null
select a and b or c and d, (a or b) and c, not a or not b, not (a or b), a or (b or c), (a or b) or c
select count(*) + 1, (count(*))::int, sum(a)::numeric / nullif(count(*), 0), (sum(a) filter (where b)) * 2, (sum(a) over ()) / 2
select (a collate "C") || b, (a at time zone 'x')::date, a::timestamptz at time zone 'x', (a at time zone 'x') at time zone 'y'
select (case a when 1 then 2 end), coalesce((select 1), 2), greatest((select 1), -1)
select array[(1, 2), row(3, 4)], array[array[1], array[2]], (array[a, b])[1], (array[a])[1:1]
select $1, $2 + $1, $10::text, -$1, $1 is null, $1 || 'x', f($1), $1[1].a
select (($1)::int[])[1], ($1::t).f
~select (($1::t).f)[2], (a[1]).f
select a from t where a in (select b from u union select c from v order by 1 limit 5)
select a from t where (select true) and exists (values (1)) and a = all (values (1), (2))
select * from t where a = 1 -- comment
select /* inner /* nested */ comment */ a from t
merge into t using u on t.a = u.a when matched and u.b > 1 then update set b = u.b when matched then delete when not matched then insert (a, b) values (u.a, 5)
begin
begin isolation level serializable, read only, deferrable
start transaction read write
commit
commit and chain
rollback
abort
rollback to savepoint a
savepoint a
release savepoint a
prepare transaction 'x'
commit prepared 'x'
rollback prepared 'x'
set search_path to a, "B", 'c'
set local timezone to 'UTC'
set time zone interval '-08:00' hour to minute
set work_mem = 1000
set enable_seqscan to off
set a.b to default
set transaction isolation level repeatable read
set session characteristics as transaction read only
reset all
reset work_mem
show all
show search_path
set constraints all deferred
set role x
copy t from stdin
copy s.t (a, b) from stdin with (format csv, header true, delimiter ';', null 'x', force_null (a))
copy (select * from t where a = 1) to stdout with binary
copy t to '/tmp/x' csv header quote '"'
create table t (a int primary key, b text not null default 'x', c numeric(10,2) unique, d int references u(id), foreign key (a, b) references v, check (a > 0))
create temp table if not exists t (like u including all)
create unlogged table p partition of t for values in (1, 2)
create table p (a int, b date) partition by range (b)
create table t as select 1
create table t (a) as execute p(1)
create materialized view m as select 1 with no data
create or replace view v as select a from t
create unique index concurrently if not exists i on s.t using btree (a, lower(b)) where c
alter table t add column x int default 5, drop column y, alter z type text
alter table if exists only t rename to u
alter table t rename column a to b
alter table t set schema s
drop table if exists a, s.b cascade
drop index concurrently i
drop trigger x on s.t
drop function f(int)
truncate a, only b restart identity cascade
explain select 1
explain (analyze, verbose true, format json) delete from t where a = 1
analyze
analyze verbose t (a, b)
vacuum (full, analyze) t
prepare p (int, text) as select * from t where a = $1
execute p (1, 'x')
deallocate p
deallocate all
declare c scroll cursor with hold for select * from t where a = 1
fetch forward 10 from c
move all in c
close c
close all
listen x
notify x, 'payload'
unlisten *
lock table t, s.u in share mode nowait
discard all
discard temp
call p(1, a => 2)
do $$ begin null; end $$
comment on table s.t is 'x'
comment on column t.a is null
grant select, insert on t to u
revoke all on schema s from public
create function f(a int) returns int language sql as $$ select a $$
create function f() returns int begin atomic select 1; select 2; end
create sequence s start 5
create schema s
create extension if not exists hstore
create type e as enum ('a', 'b')
create rule r as on insert to t do also (insert into u values (1); insert into v values (2))
create trigger x after insert on t for each row execute function f()
create policy p on t using (a = current_user)
refresh materialized view m
reindex table t
checkpoint
cluster t
load 'x'
security label on table t is 'x'
import foreign schema a from server b into c
alter system set work_mem = '1MB'
create database d

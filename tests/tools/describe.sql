-- What people look at with psql, and what tools ask catalogs. Sizes and row estimates are one server's own.
\d
\dt
\dt *.*ticket*
\di
\dv
\dm
\ds
\ds sales.*
\dE
\df
\df+ is_long
\dn
\dn+ sales
\dT
\dT+
\dD
\du app
\l shop
\dp
\dp sales.*
\ddp
\dP
\dPi
\dX
\dy
\dRp
\dRs
\dx
\des
\dF simple
\dO pg_catalog.C
\dconfig search_path
\drds
\d airlines
\d+ airlines
\d routes
\d+ fleets
\d airports
\d+ sales.tickets
\d hits
\d+ hits
\d hits_2023
\d+ audit
\d audit_what
\d audit_id_seq
\d notes
\d "Odd Name"
\d+ flights
\d+ airports_by_country
\d sales.ticket_numbers
\d airlines_country
\d no_such_table
\dt no_such*
\sf is_long
\sf+ trimmed
\sv flights
\ef no_such_function
\dd
SELECT table_schema, table_name, table_type FROM information_schema.tables
  WHERE table_schema IN ('public', 'sales') ORDER BY 1, 2;
SELECT table_name, column_name, ordinal_position, data_type, is_nullable, column_default, is_generated
  FROM information_schema.columns WHERE table_schema IN ('public', 'sales') ORDER BY 1, 3;
SELECT constraint_name, table_name, constraint_type FROM information_schema.table_constraints
  WHERE table_schema IN ('public', 'sales') AND constraint_type <> 'CHECK' ORDER BY 2, 1;
SELECT tc.table_name, kcu.column_name, ccu.table_name AS foreign_table, ccu.column_name AS foreign_column
  FROM information_schema.table_constraints tc
  JOIN information_schema.key_column_usage kcu USING (constraint_schema, constraint_name)
  JOIN information_schema.constraint_column_usage ccu USING (constraint_schema, constraint_name)
  WHERE tc.constraint_type = 'FOREIGN KEY' ORDER BY 1, 2;
SELECT constraint_name, unique_constraint_name, delete_rule FROM information_schema.referential_constraints ORDER BY 1;
SELECT table_name, view_definition FROM information_schema.views WHERE table_schema IN ('public', 'sales') ORDER BY 1;
SELECT sequence_schema, sequence_name, start_value, increment FROM information_schema.sequences ORDER BY 1, 2;
SELECT routine_name, data_type FROM information_schema.routines WHERE specific_schema = 'public' ORDER BY 1;
SELECT domain_name, data_type FROM information_schema.domains WHERE domain_schema = 'public';
SELECT trigger_name, event_manipulation, event_object_table FROM information_schema.triggers ORDER BY 1, 2;
SELECT schema_name, schema_owner FROM information_schema.schemata ORDER BY 1;
SELECT current_database(), current_schema(), table_catalog FROM information_schema.tables WHERE table_name = 'audit';
SELECT schemaname, tablename, indexname, indexdef FROM pg_indexes WHERE schemaname IN ('public', 'sales') ORDER BY 1, 2, 3;
SELECT viewname, definition FROM pg_views WHERE schemaname = 'sales';
SELECT t.typname, array_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid GROUP BY 1;
SELECT pg_get_viewdef('flights'::regclass), pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'fleets_pkey';
SELECT to_regclass('public.audit'), to_regclass('sales.tickets'), to_regtype('service'), to_regclass('nothing');
SELECT pg_get_serial_sequence('audit', 'id'), pg_get_serial_sequence('notes', 'id');
SELECT has_table_privilege('audit', 'select'), col_description('airlines'::regclass, 4);
SELECT count(*), min(application_name), rtrim(min(query), ';') AS query FROM pg_stat_activity WHERE pid = pg_backend_pid();

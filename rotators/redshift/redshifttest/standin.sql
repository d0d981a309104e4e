-- Views of Redshift, made of the catalogs of the PostgreSQL that stands in for it. As on Redshift, superusers see
-- everybody's privileges, and others their own.
SET allow_system_table_mods = on;

CREATE VIEW pg_catalog.standin_users AS
SELECT r.oid, r.rolname::text AS name, CASE WHEN r.rolcanlogin THEN 'user' ELSE 'group' END AS type,
       (SELECT s.rolsuper FROM pg_roles s WHERE s.rolname = current_user) OR r.rolname = current_user AS visible
FROM pg_roles r;

CREATE VIEW pg_catalog.svv_user_info AS
SELECT r.rolname::text AS user_name, CASE WHEN r.rolconnlimit < 0 THEN 'UNLIMITED' ELSE r.rolconnlimit::text END AS connection_limit,
       'RESTRICTED'::text AS syslog_access, 0 AS session_timeout
FROM pg_roles r JOIN pg_catalog.standin_users u ON u.oid = r.oid WHERE u.type = 'user' AND u.visible;

CREATE VIEW pg_catalog.svv_user_grants AS
SELECT ''::text AS user_name, ''::text AS role_name, false AS admin_option WHERE false;

CREATE VIEW pg_catalog.svv_relation_privileges AS
SELECT n.nspname::text AS namespace_name, c.relname::text AS relation_name, x.privilege_type, u.name AS identity_name, u.type AS identity_type, x.is_grantable AS admin_option
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL aclexplode(c.relacl) x
JOIN pg_catalog.standin_users u ON u.oid = x.grantee WHERE u.visible AND c.relkind IN ('r', 'v') AND x.privilege_type <> 'MAINTAIN'; -- which PostgreSQL 17 brought

CREATE VIEW pg_catalog.svv_column_privileges AS
SELECT n.nspname::text AS namespace_name, c.relname::text AS relation_name, a.attname::text AS column_name, x.privilege_type, u.name AS identity_name, u.type AS identity_type
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL aclexplode(a.attacl) x
JOIN pg_catalog.standin_users u ON u.oid = x.grantee WHERE u.visible;

CREATE VIEW pg_catalog.svv_schema_privileges AS
SELECT n.nspname::text AS namespace_name, 'SCHEMA'::text AS privilege_scope, x.privilege_type, u.name AS identity_name, u.type AS identity_type, x.is_grantable AS admin_option
FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) x JOIN pg_catalog.standin_users u ON u.oid = x.grantee WHERE u.visible;

CREATE VIEW pg_catalog.svv_database_privileges AS
SELECT d.datname::text AS database_name, 'DATABASE'::text AS privilege_scope, x.privilege_type, u.name AS identity_name, u.type AS identity_type, x.is_grantable AS admin_option
FROM pg_database d CROSS JOIN LATERAL aclexplode(d.datacl) x JOIN pg_catalog.standin_users u ON u.oid = x.grantee WHERE u.visible;

CREATE VIEW pg_catalog.svv_function_privileges AS
SELECT n.nspname::text AS namespace_name, p.proname::text AS function_name, oidvectortypes(p.proargtypes) AS argument_types, x.privilege_type, u.name AS identity_name, u.type AS identity_type, x.is_grantable AS admin_option
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace CROSS JOIN LATERAL aclexplode(p.proacl) x JOIN pg_catalog.standin_users u ON u.oid = x.grantee WHERE u.visible;

CREATE VIEW pg_catalog.svv_language_privileges AS
SELECT l.lanname::text AS language_name, x.privilege_type, u.name AS identity_name, u.type AS identity_type, x.is_grantable AS admin_option
FROM pg_language l CROSS JOIN LATERAL aclexplode(l.lanacl) x JOIN pg_catalog.standin_users u ON u.oid = x.grantee WHERE u.visible;

CREATE VIEW pg_catalog.svv_default_privileges AS
SELECT n.nspname::text AS schema_name, CASE d.defaclobjtype WHEN 'r' THEN 'RELATION' WHEN 'f' THEN 'FUNCTION' ELSE '' END AS object_type,
       o.rolname::text AS owner_name, x.privilege_type, coalesce(u.name, 'public') AS grantee_name, coalesce(u.type, 'public') AS grantee_type, x.is_grantable AS admin_option
FROM pg_default_acl d JOIN pg_roles o ON o.oid = d.defaclrole LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
CROSS JOIN LATERAL aclexplode(d.defaclacl) x LEFT JOIN pg_catalog.standin_users u ON u.oid = x.grantee WHERE coalesce(u.visible, true);

CREATE VIEW pg_catalog.pg_proc_info AS SELECT p.oid AS prooid, p.proname, p.pronamespace, p.proowner, p.prolang, p.proargtypes, p.prokind FROM pg_proc p;

CREATE VIEW pg_catalog.pg_external_schema AS SELECT n.oid AS esoid, 1 AS eskind, ''::text AS esdbname, ''::text AS esoptions FROM pg_namespace n WHERE n.nspname LIKE 'lake%';

-- What PostgreSQL has none of.
CREATE VIEW pg_catalog.svv_ml_model_privileges AS
SELECT ''::text AS namespace_name, ''::text AS model_name, ''::text AS privilege_type, ''::text AS identity_name, ''::text AS identity_type, false AS admin_option WHERE false;
CREATE VIEW pg_catalog.svv_datashare_privileges AS
SELECT ''::text AS datashare_name, ''::text AS privilege_type, ''::text AS identity_name, ''::text AS identity_type, false AS admin_option WHERE false;
CREATE VIEW pg_catalog.svv_iam_privileges AS
SELECT ''::text AS iam_arn, ''::text AS command_type, ''::text AS identity_name, ''::text AS identity_type WHERE false;
CREATE VIEW pg_catalog.svv_system_privileges AS
SELECT ''::text AS system_privilege, ''::text AS identity_name, ''::text AS identity_type WHERE false;
CREATE VIEW pg_catalog.svv_role_grants AS SELECT ''::text AS role_name, ''::text AS granted_role_name WHERE false;
CREATE VIEW pg_catalog.svv_ml_model_info AS
SELECT ''::char(128) AS database_name, ''::char(128) AS schema_name, ''::char(128) AS user_name, ''::char(128) AS model_name WHERE false;
CREATE VIEW pg_catalog.svv_rls_attached_policy AS
SELECT ''::text AS relschema, ''::text AS relname, ''::text AS polname, ''::text AS grantee, ''::text AS granteekind WHERE false;
CREATE VIEW pg_catalog.svv_attached_masking_policy AS
SELECT ''::text AS policy_name, ''::text AS schema_name, ''::text AS table_name, ''::text AS grantee, ''::text AS grantee_type, 0 AS priority, ''::text AS input_columns, ''::text AS output_columns WHERE false;

GRANT SELECT ON pg_catalog.pg_external_schema, pg_catalog.svv_ml_model_privileges, pg_catalog.svv_datashare_privileges, pg_catalog.svv_iam_privileges,
  pg_catalog.svv_system_privileges, pg_catalog.svv_role_grants, pg_catalog.svv_ml_model_info, pg_catalog.svv_attached_masking_policy TO PUBLIC;
GRANT SELECT ON pg_catalog.standin_users, pg_catalog.svv_user_info, pg_catalog.svv_user_grants, pg_catalog.svv_relation_privileges,
  pg_catalog.svv_column_privileges, pg_catalog.svv_schema_privileges, pg_catalog.svv_database_privileges, pg_catalog.svv_function_privileges,
  pg_catalog.svv_language_privileges, pg_catalog.svv_default_privileges, pg_catalog.pg_proc_info TO PUBLIC;

package engines

// How to get a server of each engine, and run its tests there: shell commands. What
// has a free container image is started by it. The tests make users, databases
// and roles there whose names have random letters, and drop them.
const (
	tryPostgres = `docker run -d -p 5432:5432 -e POSTGRES_PASSWORD=rotor-live-1 postgres:18
ROTOR_TEST_POSTGRES='postgres://postgres:rotor-live-1@localhost:5432/postgres?sslmode=disable' make live ENGINE=postgres`

	tryMysql = `docker run -d -p 3306:3306 -e MYSQL_ROOT_PASSWORD=rotor-live-1 mysql:9
ROTOR_TEST_MYSQL='root:rotor-live-1@tcp(127.0.0.1:3306)/?tls=false' make live ENGINE=mysql
# MariaDB: mariadb:11.8 with MARIADB_ROOT_PASSWORD. ROTOR_TEST_MYSQL_CA names a file of authorities.`

	trySqlserver = `docker run -d -p 1433:1433 -e ACCEPT_EULA=Y -e MSSQL_PID=Developer -e MSSQL_SA_PASSWORD=Rotor-live-1 mcr.microsoft.com/mssql/server:2022-latest
ROTOR_TEST_SQLSERVER='sqlserver://sa:Rotor-live-1@localhost:1433?insecure=true' make live ENGINE=sqlserver
# Microsoft's licence is yours to accept. With TLS: ?ca=FILE in place of insecure=true.`

	tryOracle = `docker run -d -p 1521:1521 -e ORACLE_PASSWORD=rotor-live-1 gvenzl/oracle-free:23-slim-faststart
ROTOR_TEST_ORACLE='oracle://system:rotor-live-1@localhost:1521/FREEPDB1' make live ENGINE=oracle
# With TLS: ?ssl=true, and ROTOR_TEST_ORACLE_CA names a file of authorities.`

	tryRedshift = `# A workgroup of Redshift Serverless that this machine reaches (publicly accessible, or from within its VPC), and its administrator:
ROTOR_TEST_REDSHIFT='postgres://admin:PASSWORD@WORKGROUP.ACCOUNT.REGION.redshift-serverless.amazonaws.com:5439/dev' make live ENGINE=redshift`

	tryDocumentdb = `# From within the VPC of a cluster of DocumentDB, as its primary user:
curl -O https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem
ROTOR_TEST_DOCUMENTDB='{"engine":"documentdb","host":"CLUSTER.REGION.docdb.amazonaws.com","username":"USER","password":"PASSWORD","caFile":"'$PWD'/global-bundle.pem"}' make live ENGINE=documentdb
# MongoDB:
docker run -d -p 27017:27017 -e MONGO_INITDB_ROOT_USERNAME=root -e MONGO_INITDB_ROOT_PASSWORD=rotor-live-1 mongo:8
ROTOR_TEST_DOCUMENTDB='{"engine":"mongo","host":"localhost","username":"root","password":"rotor-live-1","ssl":"false"}' make live ENGINE=documentdb`

	tryRedis = `docker run -d -p 6379:6379 redis:8 --requirepass rotor-live-1
ROTOR_TEST_REDIS='{"engine":"redis","host":"localhost","port":6379,"username":"default","password":"rotor-live-1","ssl":false}' make live ENGINE=redis
# Valkey: valkey/valkey:8 and the engine valkey. ROTOR_TEST_REDIS_CA names a file of authorities.`
)

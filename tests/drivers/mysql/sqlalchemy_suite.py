"""SQLAlchemy: tables made from models, the ORM's unit of work, Core, reflection; over mysqlclient and PyMySQL."""
import datetime as dt
import decimal
import enum

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects import mysql

from steps import URL, in_threads, refused, run, say, step

MYSQLDB, PYMYSQL = (URL.replace("mysql:", "mysql+%s:" % driver) + "?charset=utf8mb4" for driver in ("mysqldb", "pymysql"))
engine = sa.create_engine(MYSQLDB, future=True, pool_size=4, max_overflow=6)
Base = orm.declarative_base()


class Level(enum.Enum):
    low = "low"
    high = "high"


class Country(Base):
    __tablename__ = "sa_countries"
    code = sa.Column(sa.String(2), primary_key=True)
    name = sa.Column(sa.String(40), nullable=False)


class Customer(Base):
    __tablename__ = "sa_customers"
    id = sa.Column(sa.BigInteger, primary_key=True, autoincrement=False)
    name = sa.Column(sa.String(40), nullable=False, index=True)
    level = sa.Column(sa.Enum(Level))
    country_code = sa.Column(sa.ForeignKey("sa_countries.code"))
    created = sa.Column(mysql.DATETIME(fsp=6), server_default=sa.text("'2024-01-01 00:00:00'"))
    settings = sa.Column(sa.JSON)
    tags = sa.Column(mysql.SET("a", "b", "c"))
    active = sa.Column(sa.Boolean, default=True)
    country = orm.relationship(Country)
    orders = orm.relationship("Order", back_populates="customer", order_by="Order.order_no", cascade="all, delete-orphan")
    __table_args__ = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"}


class Order(Base):
    __tablename__ = "sa_orders"
    customer_id = sa.Column(sa.ForeignKey("sa_customers.id"), primary_key=True)
    order_no = sa.Column(sa.Integer, primary_key=True, autoincrement=False)
    amount = sa.Column(sa.Numeric(10, 2), nullable=False)
    placed = sa.Column(sa.Date, index=True)
    customer = orm.relationship(Customer, back_populates="orders")
    __table_args__ = (sa.CheckConstraint("amount >= 0", name="amount_is_positive"),)


class Event(Base):
    __tablename__ = "sa_events"     # on the default shard
    id = sa.Column(sa.Integer, primary_key=True)
    kind = sa.Column(sa.String(20), unique=True)
    payload = sa.Column(sa.LargeBinary)
    version = sa.Column(sa.Integer, nullable=False)
    __mapper_args__ = {"version_id_col": version}


def state(error):
    return error.orig.args[0], str(error.orig.args[1])


def fails(what, action):
    refused(what, sa.exc.DBAPIError, state, action)


def autocommit():
    return engine.connect().execution_options(isolation_level="AUTOCOMMIT")


def clear():
    engine.dispose()
    with autocommit() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            if sa.inspect(connection).has_table(table.name):
                connection.execute(table.delete())


def add_customers(count=12):
    with autocommit() as connection:
        for code, name in (("DE", "Germany"), ("FR", "France")):
            connection.execute(sa.insert(Country).values(code=code, name=name))
    for number in range(1, count + 1):
        with orm.Session(engine) as session, session.begin():
            session.add(Customer(id=number, name="customer %d" % number, level=Level.low if number % 2 else Level.high,
                                 country_code="DE" if number % 3 else "FR", tags={"a", "b"}, settings={"n": number},
                                 orders=[Order(order_no=n, amount=number * n, placed=dt.date(2024, n, 1)) for n in range(1, 4)]))


@step
def tables_from_models():
    with autocommit() as connection:
        Base.metadata.drop_all(connection)
        Base.metadata.create_all(connection)
        Base.metadata.create_all(connection)  # what is there is left alone
        say("tables", sorted(name for name in sa.inspect(connection).get_table_names() if name.startswith("sa_")))
    say("dialect", engine.dialect.server_version_info, engine.dialect.is_mariadb, engine.dialect._sql_mode if hasattr(engine.dialect, "_sql_mode") else None,
        engine.dialect.default_schema_name)


@step
def inspection():
    inspector = sa.inspect(engine)
    for table in ("sa_countries", "sa_customers", "sa_orders", "sa_events"):
        for column in inspector.get_columns(table):
            say(table + "." + column["name"], repr(column["type"]), column["nullable"], column["default"], column.get("autoincrement"))
        say(table + " primary key", inspector.get_pk_constraint(table))
        say(table + " foreign keys", inspector.get_foreign_keys(table))
        say(table + " indexes", sorted(inspector.get_indexes(table), key=lambda index: index["name"]))
        say(table + " unique", inspector.get_unique_constraints(table))
        say(table + " checks", inspector.get_check_constraints(table))
        say(table + " options", inspector.get_table_options(table))
    say("schemas", sorted(inspector.get_schema_names()), inspector.default_schema_name)
    say("views", inspector.get_view_names())


@step
def reflection():
    metadata = sa.MetaData()
    metadata.reflect(engine, only=lambda name, _: name.startswith("sa_"))
    for table in metadata.sorted_tables:
        say(table.name, [(column.name, str(column.type), column.primary_key) for column in table.columns],
            sorted(str(key.target_fullname) for key in table.foreign_keys))
    for name in ("orders", "samples"):
        table = sa.Table(name, sa.MetaData(), autoload_with=engine)
        say(name, [(column.name, str(column.type)) for column in table.columns], [column.name for column in table.primary_key])


@step
def unit_of_work():
    add_customers(4)
    with orm.Session(engine) as session:
        customer = session.get(Customer, 3)
        say("read", customer.name, customer.level, customer.country.name, customer.created.isoformat(), customer.settings, sorted(customer.tags), customer.active)
        say("orders", [(order.order_no, order.amount) for order in customer.orders])
        customer.name = "renamed"
        customer.orders.append(Order(order_no=9, amount=decimal.Decimal("0.50")))
        del customer.orders[0]
        customer.settings = {**customer.settings, "new": True}
        session.commit()
        session.expire_all()
        say("after", customer.name, customer.settings, [(order.order_no, order.amount) for order in customer.orders])
        session.delete(customer)
        session.commit()
        say("deleted", session.scalar(sa.select(sa.func.count()).select_from(Order).where(Order.customer_id == 3)))
        customer = session.get(Customer, 1)
        nested = session.begin_nested()
        customer.name = "lost"
        session.flush()
        nested.rollback()
        say("nested", customer.name)
        session.rollback()


@step
def events_with_generated_keys_and_versions():
    with orm.Session(engine) as session:
        events = [Event(kind="k%d" % n, payload=bytes([n, 0, 255])) for n in range(5)]
        session.add_all(events)
        session.commit()
        say("keys", [event.id - events[0].id for event in events], [event.version for event in events])
        events[0].payload = b""
        session.commit()
        say("version", events[0].version)
        with orm.Session(engine) as other:
            mine = other.get(Event, events[1].id)
            events[1].kind = "changed"
            session.commit()
            say("theirs", events[1].version)
            other.execute(sa.update(Event).where(Event.id == mine.id).values(version=99))
            mine.kind = "conflict"
            try:
                other.flush()
            except orm.exc.StaleDataError as error:
                say("stale", type(error).__name__)
    with orm.Session(engine) as session:
        session.add(Event(kind="k2", payload=None))
        fails("unique", session.commit)


@step
def queries():
    add_customers()
    with orm.Session(engine) as session:
        total = sa.func.sum(Order.amount).label("total")
        for query in (sa.select(Customer.id).order_by(Customer.id.desc()).limit(3),
                      sa.select(Customer.id).order_by(Customer.id).limit(3).offset(4),
                      sa.select(Customer.level, sa.func.count()).group_by(Customer.level).order_by(Customer.level),
                      sa.select(Customer.name, total).join(Customer.orders).group_by(Customer.id, Customer.name).having(total > 30).order_by(total),
                      sa.select(Country.name, sa.func.count()).select_from(Customer).join(Customer.country).group_by(Country.name).order_by(Country.name),
                      sa.select(Customer.id).where(Customer.id.in_([2, 4, 6])).order_by(Customer.id),
                      sa.select(Customer.id).where(Customer.settings["n"].as_integer() > 9).order_by(Customer.id),
                      sa.select(Customer.id).where(Customer.orders.any(Order.amount > 30)).order_by(Customer.id),
                      sa.select(Customer.id).where(Customer.name.ilike("%MER 1%")).order_by(Customer.id),
                      sa.select(Customer.id).where(Customer.name.regexp_match("[12]$")).order_by(Customer.id),
                      sa.select(sa.func.min(Order.placed), sa.func.max(Order.placed), sa.func.avg(Order.amount)),
                      sa.select(sa.extract("month", Order.placed), sa.func.count()).group_by(sa.extract("month", Order.placed)).order_by(sa.extract("month", Order.placed)),
                      sa.select(Customer.id, sa.case((Customer.id < 3, "few"), else_="many")).order_by(Customer.id).limit(4),
                      sa.select(sa.func.group_concat(Order.order_no)).where(Order.customer_id == 1),
                      sa.select(sa.distinct(Customer.country_code)).order_by(Customer.country_code)):
            say("rows", session.execute(query).all())
        loaded = session.scalars(sa.select(Customer).options(orm.selectinload(Customer.orders)).order_by(Customer.id)).all()
        say("selectin", [(customer.id, len(customer.orders)) for customer in loaded])
        session.expunge_all()
        loaded = session.scalars(sa.select(Customer).options(orm.joinedload(Customer.orders)).order_by(Customer.id)).unique().all()
        say("joined", [(customer.id, len(customer.orders)) for customer in loaded])
        say("exists", session.scalar(sa.select(sa.exists().where(Customer.id == 5))))
        say("locked", session.scalars(sa.select(Customer.name).where(Customer.id == 2).with_for_update()).all(),
            session.scalars(sa.select(Customer.name).where(Customer.id == 2).with_for_update(read=True)).all())
        streamed = session.execute(sa.select(Customer.id).order_by(Customer.id), execution_options={"stream_results": True, "max_row_buffer": 3})
        say("streamed", [row.id for row in streamed])


@step
def core_writes():
    add_customers(3)
    with autocommit() as connection:
        result = connection.execute(sa.insert(Customer), [{"id": n, "name": "core %d" % n} for n in range(20, 40)])
        say("inserted", result.rowcount)
        upsert = mysql.insert(Customer).values(id=20, name="twice")
        say("upsert", connection.execute(upsert.on_duplicate_key_update(name=upsert.inserted.name)).rowcount)
        say("updated", connection.execute(sa.update(Customer).where(Customer.id >= 20).values(level=Level.high)).rowcount)
        say("updated again", connection.execute(sa.update(Customer).where(Customer.id >= 20).values(level=Level.high)).rowcount)
        say("deleted", connection.execute(sa.delete(Customer).where(Customer.id > 30)).rowcount)
        say("bound", connection.execute(sa.text("SELECT count(*) FROM sa_customers WHERE id > :low"), {"low": 5}).scalar())
        say("ignored", connection.execute(sa.insert(Customer).prefix_with("IGNORE").values(id=20, name="ignored")).rowcount)
        result = connection.execute(sa.insert(Event).values(kind="core", version=1))
        say("key", result.inserted_primary_key[0] == connection.execute(sa.text("SELECT max(id) FROM sa_events")).scalar(), result.lastrowid == result.inserted_primary_key[0])
        fails("duplicate", lambda: connection.execute(sa.insert(Customer).values(id=20, name="")))
        fails("no such country", lambda: connection.execute(sa.insert(Customer).values(id=50, name="", country_code="XX")))
        fails("check", lambda: connection.execute(sa.insert(Order).values(customer_id=1, order_no=8, amount=-1)))
        fails("no such table", lambda: connection.execute(sa.text("SELECT * FROM sa_nothing")))


@step
def isolation_levels():
    add_customers(2)
    for level in ("READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE", "AUTOCOMMIT"):
        with engine.connect().execution_options(isolation_level=level) as connection:
            say(level, connection.execute(sa.text("SELECT @@tx_isolation, @@autocommit")).one(), connection.get_isolation_level(),
                connection.execute(sa.select(Customer.name).where(Customer.id == 1)).scalar())
    with engine.connect() as connection:
        say("and back", connection.execute(sa.text("SELECT @@tx_isolation, @@autocommit")).one())


@step
def two_phases():
    add_customers(1)
    with engine.connect() as connection:
        transaction = connection.begin_twophase()
        connection.execute(sa.update(Customer).where(Customer.id == 1).values(name="in two phases"))
        transaction.prepare()
        transaction.commit()
    with engine.connect() as connection:
        say("committed", connection.execute(sa.select(Customer.name)).all())


@step
def a_pool_that_tests_its_connections():
    two = sa.create_engine(PYMYSQL, future=True, pool_pre_ping=True, pool_size=1, max_overflow=0, pool_recycle=3600)
    with two.connect() as connection:
        number = connection.connection.dbapi_connection.thread_id()
    with autocommit() as connection:
        connection.execute(sa.text("KILL %d" % number))
    with two.connect() as connection:
        say("another", connection.execute(sa.text("SELECT database()")).scalar())
    two.dispose()


@step
def sessions_in_threads():
    add_customers(8)

    def work(number):
        for turn in range(8):
            with orm.Session(engine) as session, session.begin():
                customer = session.get(Customer, number + 1)
                customer.orders.append(Order(order_no=100 + turn, amount=turn))

    say("done", in_threads(8, work))
    with orm.Session(engine) as session:
        say("orders", session.execute(sa.select(sa.func.count(), sa.func.sum(Order.amount)).where(Order.order_no >= 100)).one())


@step
def over_pymysql():
    add_customers(5)
    other = sa.create_engine(PYMYSQL, future=True)
    with other.begin() as connection:
        say("rows", connection.execute(sa.select(Customer.id, Customer.level, Customer.settings).order_by(Customer.id)).all())
        say("updated", connection.execute(sa.update(Customer).where(Customer.id == 2).values(name="by pymysql", settings={"ü": [1, None]})).rowcount)
    with other.connect() as connection:
        say("after", connection.execute(sa.select(Customer.name, Customer.settings).where(Customer.id == 2)).one())
        fails("duplicate", lambda: connection.execute(sa.insert(Customer).values(id=2, name="")))
    other.dispose()


@step
def the_tables_go():
    engine.dispose()
    with autocommit() as connection:
        Base.metadata.drop_all(connection)
    say("tables", [name for name in sa.inspect(engine).get_table_names() if name.startswith("sa_")])


run("SQLAlchemy", sa.__version__, clear)
engine.dispose()

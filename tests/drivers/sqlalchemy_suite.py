"""SQLAlchemy: tables made from models, the ORM's unit of work, Core, reflection; over psycopg2 and asyncpg."""
import asyncio
import datetime as dt
import decimal
import enum
import uuid

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import create_async_engine

from steps import URL, in_threads, refused, run, say, step

engine = sa.create_engine(URL, future=True, pool_size=4, max_overflow=6)
Base = orm.declarative_base()


class Level(enum.Enum):
    low = "low"
    high = "high"


class Country(Base):
    __tablename__ = "sa_countries"
    code = sa.Column(sa.String(2), primary_key=True)
    name = sa.Column(sa.Text, nullable=False)


class Customer(Base):
    __tablename__ = "sa_customers"
    id = sa.Column(sa.BigInteger, primary_key=True, autoincrement=False)
    name = sa.Column(sa.String(40), nullable=False, index=True)
    level = sa.Column(sa.Enum(Level, name="sa_level"))
    country_code = sa.Column(sa.ForeignKey("sa_countries.code"))
    created = sa.Column(sa.DateTime(timezone=True), server_default=sa.text("'2024-01-01 00:00:00+00'"))
    settings = sa.Column(pg.JSONB)
    tags = sa.Column(pg.ARRAY(sa.Text))
    token = sa.Column(pg.UUID(as_uuid=True))
    country = orm.relationship(Country)
    orders = orm.relationship("Order", back_populates="customer", order_by="Order.order_no", cascade="all, delete-orphan")


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
    kind = sa.Column(sa.Text, unique=True)
    payload = sa.Column(sa.LargeBinary)
    version = sa.Column(sa.Integer, nullable=False)
    __mapper_args__ = {"version_id_col": version}


def state(error):
    return getattr(error.orig, "pgcode", None), str(error.orig).strip().split("\n")[0]


def fails(what, action):
    refused(what, sa.exc.DBAPIError, state, action)


def clear():
    engine.dispose()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in reversed(Base.metadata.sorted_tables):
            if sa.inspect(connection).has_table(table.name):
                connection.execute(table.delete())


def add_customers(count=12):
    with orm.Session(engine) as session, session.begin():
        for code, name in (("DE", "Germany"), ("FR", "France")):
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(sa.insert(Country).values(code=code, name=name))
    for number in range(1, count + 1):
        with orm.Session(engine) as session, session.begin():
            session.add(Customer(id=number, name="customer %d" % number, level=Level.low if number % 2 else Level.high,
                                 country_code="DE" if number % 3 else "FR", tags=["t%d" % number], settings={"n": number},
                                 token=uuid.UUID(int=number),
                                 orders=[Order(order_no=n, amount=number * n, placed=dt.date(2024, n, 1)) for n in range(1, 4)]))


@step
def tables_from_models():
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        Base.metadata.drop_all(connection)
        Base.metadata.create_all(connection)
        Base.metadata.create_all(connection)  # what is there is left alone
        say("tables", sorted(name for name in sa.inspect(connection).get_table_names() if name.startswith("sa_")))


@step
def tables_in_a_transaction():
    with engine.begin() as connection:
        Base.metadata.drop_all(connection)
        Base.metadata.create_all(connection)
    with engine.connect() as connection:
        transaction = connection.begin()
        Base.metadata.drop_all(connection)
        say("dropped", sa.inspect(connection).has_table("sa_customers"))
        transaction.rollback()
        say("rolled back", sa.inspect(connection).has_table("sa_customers"))


@step
def inspection():
    inspector = sa.inspect(engine)
    for table in ("sa_countries", "sa_customers", "sa_orders", "sa_events"):
        for column in inspector.get_columns(table):
            say(table + "." + column["name"], repr(column["type"]), column["nullable"], column["default"])
        say(table + " primary key", inspector.get_pk_constraint(table))
        say(table + " foreign keys", inspector.get_foreign_keys(table))
        say(table + " indexes", sorted(inspector.get_indexes(table), key=lambda index: index["name"]))
        say(table + " unique", inspector.get_unique_constraints(table))
        say(table + " checks", inspector.get_check_constraints(table))
    say("enums", [enum for enum in inspector.get_enums() if enum["name"].startswith("sa_")])
    say("schemas", sorted(inspector.get_schema_names()), inspector.default_schema_name)
    say("sequences", sorted(inspector.get_sequence_names()))
    say("views", inspector.get_view_names())


@step
def reflection():
    metadata = sa.MetaData()
    metadata.reflect(engine, only=lambda name, _: name.startswith("sa_"))
    for table in metadata.sorted_tables:
        say(table.name, [(column.name, str(column.type), column.primary_key) for column in table.columns],
            sorted(str(key.target_fullname) for key in table.foreign_keys))
    orders = sa.Table("orders", sa.MetaData(), autoload_with=engine)
    say("orders", [column.name for column in orders.columns], [column.name for column in orders.primary_key])


@step
def unit_of_work():
    add_customers(4)
    with orm.Session(engine) as session:
        customer = session.get(Customer, 3)
        say("read", customer.name, customer.level, customer.country.name, customer.created.isoformat(), customer.settings, customer.tags, customer.token)
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
                      sa.select(Customer.level, sa.func.count()).group_by(Customer.level).order_by(Customer.level),
                      sa.select(Customer.name, total).join(Customer.orders).group_by(Customer.id, Customer.name).having(total > 30).order_by(total),
                      sa.select(Country.name, sa.func.count()).select_from(Customer).join(Customer.country).group_by(Country.name).order_by(Country.name),
                      sa.select(Customer.id).where(Customer.id.in_([2, 4, 6])).order_by(Customer.id),
                      sa.select(Customer.id).where(Customer.tags.contains(["t5"])),
                      sa.select(Customer.id).where(Customer.settings["n"].as_integer() > 9).order_by(Customer.id),
                      sa.select(Customer.id).where(Customer.orders.any(Order.amount > 30)).order_by(Customer.id),
                      sa.select(sa.func.min(Order.placed), sa.func.max(Order.placed), sa.func.avg(Order.amount)),
                      sa.select(Customer.id, sa.case((Customer.id < 3, "few"), else_="many")).order_by(Customer.id).limit(4),
                      sa.select(sa.distinct(Customer.country_code)).order_by(Customer.country_code)):
            say("rows", session.execute(query).all())
        loaded = session.scalars(sa.select(Customer).options(orm.selectinload(Customer.orders)).order_by(Customer.id)).all()
        say("selectin", [(customer.id, len(customer.orders)) for customer in loaded])
        session.expunge_all()
        loaded = session.scalars(sa.select(Customer).options(orm.joinedload(Customer.orders)).order_by(Customer.id)).unique().all()
        say("joined", [(customer.id, len(customer.orders)) for customer in loaded])
        say("exists", session.scalar(sa.select(sa.exists().where(Customer.id == 5))))
        streamed = session.execute(sa.select(Customer.id).order_by(Customer.id), execution_options={"stream_results": True, "max_row_buffer": 3})
        say("streamed", [row.id for row in streamed])


@step
def core_writes():
    add_customers(3)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        result = connection.execute(sa.insert(Customer), [{"id": n, "name": "core %d" % n} for n in range(20, 40)])
        say("inserted", result.rowcount)
        upsert = pg.insert(Customer).values(id=20, name="twice")
        upsert = upsert.on_conflict_do_update(index_elements=["id"], set_={"name": upsert.excluded.name}).returning(Customer.id, Customer.name)
        say("upsert", connection.execute(upsert).all())
        say("updated", connection.execute(sa.update(Customer).where(Customer.id >= 20).values(level=Level.high)).rowcount)
        say("returned", connection.execute(sa.delete(Customer).where(Customer.id == 21).returning(Customer.id, Customer.level)).all())
        say("deleted", connection.execute(sa.delete(Customer).where(Customer.id > 30)).rowcount)
        say("bound", connection.execute(sa.text("SELECT count(*) FROM sa_customers WHERE id > :low"), {"low": 5}).scalar())
        fails("duplicate", lambda: connection.execute(sa.insert(Customer).values(id=20, name="")))
        fails("no such country", lambda: connection.execute(sa.insert(Customer).values(id=50, name="", country_code="XX")))
        fails("check", lambda: connection.execute(sa.insert(Order).values(customer_id=1, order_no=8, amount=-1)))


@step
def isolation_levels():
    add_customers(2)
    for level in ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE", "AUTOCOMMIT"):
        with engine.connect().execution_options(isolation_level=level) as connection:
            say(level, connection.execute(sa.text("SHOW transaction_isolation")).scalar(), connection.execute(sa.select(Customer.name).where(Customer.id == 1)).scalar())
    two = sa.create_engine(URL, future=True, pool_pre_ping=True, connect_args={"options": "-c search_path=public,pg_catalog"})
    with two.connect() as connection:
        say("search path", connection.execute(sa.text("SHOW search_path")).scalar().replace(" ", ""))
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
def over_asyncpg():
    add_customers(5)

    async def work():
        asynchronous = create_async_engine(URL.replace("postgresql:", "postgresql+asyncpg:"))
        async with asynchronous.begin() as connection:
            say("rows", (await connection.execute(sa.select(Customer.id, Customer.level, Customer.token).order_by(Customer.id))).all())
            say("one", (await connection.execute(sa.select(Order.amount).where(Order.customer_id == 2).order_by(Order.order_no))).all())
            await connection.execute(sa.update(Customer).where(Customer.id == 2).values(name="async"))
        async with asynchronous.connect() as connection:
            say("after", (await connection.execute(sa.select(Customer.name).where(Customer.id == 2))).scalar())
        await asynchronous.dispose()

    asyncio.run(work())


@step
def the_tables_go():
    engine.dispose()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        Base.metadata.drop_all(connection)
    say("tables", [name for name in sa.inspect(engine).get_table_names() if name.startswith("sa_")])


run("SQLAlchemy", sa.__version__, clear)
engine.dispose()

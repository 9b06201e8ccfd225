"""Alembic: migrations up and down, generated ones too, of sharded, reference and other tables."""
import io
import os
import shutil
import tempfile

import alembic
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from steps import URL, run, say, step

ENV = """
from alembic import context
from sqlalchemy import create_engine

engine = create_engine(context.config.get_main_option("sqlalchemy.url"))
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=None,
                      transaction_per_migration=context.config.get_main_option("per_migration") == "yes")
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
"""

HEAD = """
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = %r
down_revision = %r
"""

MIGRATIONS = [
    ("""
def upgrade():
    op.create_table("sa_countries", sa.Column("code", sa.String(2), primary_key=True), sa.Column("name", sa.Text))
    op.create_table("sa_customers", sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
                    sa.Column("name", sa.Text, nullable=False),
                    sa.Column("country", sa.String(2), sa.ForeignKey("sa_countries.code")))
    op.create_table("sa_events", sa.Column("id", sa.Integer, primary_key=True), sa.Column("kind", sa.Text, nullable=False))

def downgrade():
    op.drop_table("sa_events")
    op.drop_table("sa_customers")
    op.drop_table("sa_countries")
"""),
    ("""
def upgrade():
    op.add_column("sa_customers", sa.Column("score", sa.Integer, server_default="7", nullable=False))
    op.add_column("sa_events", sa.Column("payload", pg.JSONB))
    op.create_index("sa_customers_name", "sa_customers", ["name"])
    op.create_unique_constraint("sa_events_kind", "sa_events", ["kind"])

def downgrade():
    op.drop_constraint("sa_events_kind", "sa_events")
    op.drop_index("sa_customers_name")
    op.drop_column("sa_events", "payload")
    op.drop_column("sa_customers", "score")
"""),
    ("""
def upgrade():
    op.bulk_insert(sa.table("sa_events", sa.column("kind")), [{"kind": "a"}, {"kind": "b"}])
    op.alter_column("sa_customers", "score", type_=sa.BigInteger, server_default=None)
    op.alter_column("sa_customers", "name", new_column_name="title")
    op.create_check_constraint("score_is_positive", "sa_customers", "score >= 0")
    op.execute("UPDATE sa_events SET payload = '{}'")

def downgrade():
    op.drop_constraint("score_is_positive", "sa_customers")
    op.alter_column("sa_customers", "title", new_column_name="name")
    op.alter_column("sa_customers", "score", type_=sa.Integer, server_default="7")
    op.execute("DELETE FROM sa_events")
"""),
    ("""
def upgrade():
    op.create_table("sa_orders", sa.Column("customer_id", sa.BigInteger), sa.Column("order_no", sa.Integer),
                    sa.Column("amount", sa.Numeric(8, 2)), sa.PrimaryKeyConstraint("customer_id", "order_no"))
    op.create_foreign_key("orders_customer", "sa_orders", "sa_customers", ["customer_id"], ["id"], ondelete="CASCADE")
    level = pg.ENUM("low", "high", name="sa_level")
    level.create(op.get_bind())
    op.add_column("sa_customers", sa.Column("level", pg.ENUM("low", "high", name="sa_level", create_type=False)))

def downgrade():
    op.drop_column("sa_customers", "level")
    op.execute("DROP TYPE sa_level")
    op.drop_table("sa_orders")
"""),
]
engine = sa.create_engine(URL, future=True)


def configuration(per_migration=True):
    folder = tempfile.mkdtemp(prefix="alembic-")
    os.mkdir(folder + "/versions")
    with open(folder + "/env.py", "w") as file:
        file.write(ENV)
    for number, text in enumerate(MIGRATIONS, 1):
        with open("%s/versions/r%d.py" % (folder, number), "w") as file:
            file.write(HEAD % ("r%d" % number, "r%d" % (number - 1) if number > 1 else None) + text)
    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", folder)
    config.set_main_option("sqlalchemy.url", URL)
    config.set_main_option("per_migration", "yes" if per_migration else "no")
    return config


def clear():
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in ("sa_orders", "sa_customers", "sa_countries", "sa_events", "alembic_version"):
            connection.execute(sa.text("DROP TABLE IF EXISTS " + table))
        connection.execute(sa.text("DROP TYPE IF EXISTS sa_level"))


def show(what):
    inspector = sa.inspect(engine)
    for table in sorted(name for name in inspector.get_table_names() if name.startswith(("sa_", "alembic"))):
        say(what + " " + table, [(column["name"], str(column["type"]), column["nullable"], column["default"]) for column in inspector.get_columns(table)])
        say(what + " " + table, inspector.get_indexes(table), [key["name"] for key in inspector.get_foreign_keys(table)],
            [check["name"] for check in inspector.get_check_constraints(table)])
    with engine.connect() as connection:
        if inspector.has_table("alembic_version"):
            say(what, connection.execute(sa.text("SELECT * FROM alembic_version")).all())


def migrate(config, *targets):
    try:
        for direction, target in targets:
            getattr(command, direction)(config, target)
            show(direction + " to " + target)
    finally:
        shutil.rmtree(config.get_main_option("script_location"))


@step
def up_step_by_step():
    migrate(configuration(), ("upgrade", "r1"), ("upgrade", "r2"), ("upgrade", "r3"), ("upgrade", "r4"))


@step
def up_and_down():
    migrate(configuration(), ("upgrade", "head"), ("downgrade", "r2"), ("upgrade", "head"), ("downgrade", "base"))


@step
def all_in_one_transaction():
    migrate(configuration(per_migration=False), ("upgrade", "head"), ("downgrade", "base"))


@step
def with_rows():
    config = configuration()
    try:
        command.upgrade(config, "r1")
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("INSERT INTO sa_countries VALUES ('DE', 'Germany')"))
            for number in range(1, 21):
                connection.execute(sa.text("INSERT INTO sa_customers VALUES (:id, 'name', 'DE')"), {"id": number})
        command.upgrade(config, "head")
        with engine.connect() as connection:
            say("rows", connection.execute(sa.text("SELECT count(*), sum(score), min(title) FROM sa_customers")).all())
            say("events", connection.execute(sa.text("SELECT kind, payload FROM sa_events ORDER BY 1")).all())
        command.downgrade(config, "r1")
        with engine.connect() as connection:
            say("rows", connection.execute(sa.text("SELECT count(*), min(name) FROM sa_customers")).all())
    finally:
        shutil.rmtree(config.get_main_option("script_location"))


@step
def generated_from_models():
    config = configuration()
    metadata = sa.MetaData()
    sa.Table("sa_customers", metadata, sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("name", sa.String(30), nullable=False),
             sa.Column("country", sa.String(2)), sa.Column("added", sa.Date, index=True))
    try:
        command.upgrade(config, "r1")
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={
                "compare_type": True, "include_name": lambda name, kind, parents: kind != "table" or name == "sa_customers"})
            for difference in compare_metadata(context, metadata):
                say("difference", difference[0] if isinstance(difference, tuple) else difference[0][0])
    finally:
        shutil.rmtree(config.get_main_option("script_location"))


run("Alembic", alembic.__version__, clear)
clear()
engine.dispose()

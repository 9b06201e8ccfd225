import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel("Country", [
            ("code", models.CharField(max_length=2, primary_key=True, serialize=False)),
            ("name", models.CharField(max_length=40)),
        ]),
        migrations.CreateModel("Customer", [
            ("id", models.BigIntegerField(primary_key=True, serialize=False)),
            ("name", models.CharField(max_length=40)),
            ("country", models.ForeignKey("shop.Country", models.PROTECT, null=True)),
            ("balance", models.DecimalField(max_digits=10, decimal_places=2, default=0)),
            ("settings", models.JSONField(default=dict)),
        ]),
        # Django knows one column as a key; the table is by customer, and so is its primary key.
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(
                "CREATE TABLE shop_order (id char(32) NOT NULL, customer_id bigint NOT NULL, amount decimal(8,2) NOT NULL, placed date NOT NULL,"
                " PRIMARY KEY (customer_id, id), CONSTRAINT shop_order_customer FOREIGN KEY (customer_id) REFERENCES shop_customer (id))",
                "DROP TABLE shop_order")],
            state_operations=[migrations.CreateModel("Order", [
                ("id", models.UUIDField(primary_key=True, default=uuid.uuid4, serialize=False)),
                ("customer", models.ForeignKey("shop.Customer", models.CASCADE, related_name="orders")),
                ("amount", models.DecimalField(max_digits=8, decimal_places=2)),
                ("placed", models.DateField()),
            ])]),
        migrations.CreateModel("Label", [
            ("id", models.BigAutoField(primary_key=True, serialize=False, auto_created=True, verbose_name="ID")),
            ("name", models.CharField(max_length=20, unique=True)),
        ]),
        migrations.CreateModel("Note", [
            ("id", models.BigAutoField(primary_key=True, serialize=False, auto_created=True, verbose_name="ID")),
            ("body", models.CharField(max_length=100)),
            ("made", models.DateTimeField(auto_now_add=True)),
        ]),
    ]

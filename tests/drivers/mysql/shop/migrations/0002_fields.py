from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        migrations.AddField("Customer", "seen", models.DateTimeField(null=True)),
        migrations.AddField("Customer", "photo", models.BinaryField(null=True)),
        migrations.AddField("Customer", "patience", models.DurationField(null=True)),
        migrations.AddField("Customer", "alias", models.CharField(max_length=20, default="")),
        migrations.AlterField("Customer", "name", models.CharField(max_length=60, db_index=True)),
        migrations.AlterField("Customer", "balance", models.DecimalField(max_digits=12, decimal_places=2, default=0)),
        migrations.AddField("Note", "labels", models.ManyToManyField("shop.Label")),
        migrations.AddIndex("Note", models.Index(fields=["made", "body"], name="note_made_body")),
        migrations.AddConstraint("Note", models.CheckConstraint(check=~models.Q(body=""), name="note_has_body")),
    ]

from django.db import migrations, models


def add(apps, schema_editor):
    Country, Label = apps.get_model("shop", "Country"), apps.get_model("shop", "Label")
    for code, name in (("DE", "Germany"), ("FR", "France"), ("JP", "Japan")):
        Country.objects.create(code=code, name=name)
    Label.objects.bulk_create([Label(name="red"), Label(name="green")])


def remove(apps, schema_editor):
    apps.get_model("shop", "Country").objects.all().delete()
    apps.get_model("shop", "Label").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_fields")]
    operations = [
        migrations.RunPython(add, remove),
        migrations.RenameField("Customer", "alias", "nickname"),
        migrations.AddField("Customer", "active", models.BooleanField(default=True)),
    ]

from django.db import migrations, models


def add_countries(apps, schema_editor):
    Country = apps.get_model("store", "Country")
    for code, name in (("DE", "Germany"), ("FR", "France"), ("JP", "Japan")):
        Country.objects.create(code=code, name=name)


def remove_countries(apps, schema_editor):
    apps.get_model("store", "Country").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("store", "0002_fields")]
    atomic = False      # a row of a reference table is written on every shard
    operations = [migrations.RunPython(add_countries, remove_countries)]

from django.db import migrations, models


def nickname_from_name(apps, schema_editor):
    Label = apps.get_model("store", "Label")
    Label.objects.bulk_create([Label(name="red"), Label(name="green")])


class Migration(migrations.Migration):
    dependencies = [("store", "0003_countries")]
    operations = [
        migrations.RenameField("Customer", "alias", "nickname"),
        migrations.AddField("Customer", "active", models.BooleanField(default=True)),
        migrations.RunPython(nickname_from_name, migrations.RunPython.noop),
    ]

"""What the migrations of this application lead to."""
import uuid

from django.db import models


class Country(models.Model):            # on every shard
    code = models.CharField(max_length=2, primary_key=True)
    name = models.CharField(max_length=40)


class Customer(models.Model):           # by id
    id = models.BigIntegerField(primary_key=True)
    name = models.CharField(max_length=60, db_index=True)
    country = models.ForeignKey(Country, models.PROTECT, null=True)
    balance = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    settings = models.JSONField(default=dict)
    seen = models.DateTimeField(null=True)
    photo = models.BinaryField(null=True)
    patience = models.DurationField(null=True)
    active = models.BooleanField(default=True)
    nickname = models.CharField(max_length=20, default="")


class Order(models.Model):              # by customer
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="orders")
    amount = models.DecimalField(max_digits=8, decimal_places=2)
    placed = models.DateField()


class Label(models.Model):              # on the default shard, as are notes
    name = models.CharField(max_length=20, unique=True)


class Note(models.Model):
    body = models.CharField(max_length=100)
    made = models.DateTimeField(auto_now_add=True)
    labels = models.ManyToManyField(Label)

    class Meta:
        indexes = [models.Index(fields=["made", "body"], name="note_made_body")]
        constraints = [models.CheckConstraint(check=~models.Q(body=""), name="note_has_body")]

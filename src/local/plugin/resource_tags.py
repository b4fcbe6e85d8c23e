"""Tags of more services: https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/."""

from ministack.services import cloudwatch, ssm, stepfunctions, tagging
from ministack.services.cloudformation import provisioners

from patching import wrap


def install():
    """Lets the Tagging API read and change tags of alarms, parameters and state machines."""
    for service, tags_of, set_tags in (
        ("cloudwatch", lambda: cloudwatch._resource_tags, plain),
        ("ssm", lambda: ssm._tags, plain),
        ("states", lambda: stepfunctions._tags, listed),
    ):
        tagging._COLLECTORS[service] = lambda tags_of=tags_of: collect(tags_of())
        tagging._WRITERS[service] = lambda _spec, arn, tags, tags_of=tags_of, set_tags=set_tags: set_tags(
            tags_of(), arn, {**read(tags_of().get(arn)), **tags}
        )
        tagging._REMOVERS[service] = lambda _spec, arn, keys, tags_of=tags_of, set_tags=set_tags: set_tags(
            tags_of(), arn, {key: value for key, value in read(tags_of().get(arn)).items() if key not in keys}
        )

    keep_tags_of_alarms()


def keep_tags_of_alarms():
    """An update of an alarm changes the tags that differ between the templates, and no others."""

    @wrap(provisioners, "_cw_metric_alarm_update")
    def _cw_metric_alarm_update(original, physical_id, old_props, new_props, *args, **kwargs):
        def of_alarm(arn):
            return arn.endswith(f":alarm:{physical_id}")

        before = {arn: dict(tags) for arn, tags in cloudwatch._resource_tags.items() if of_alarm(arn)}
        answer = original(physical_id, old_props, new_props, *args, **kwargs)
        gone = {tag["Key"] for tag in old_props.get("Tags") or []}
        new = {tag["Key"]: tag["Value"] for tag in new_props.get("Tags") or []}
        for arn, tags in before.items():
            cloudwatch._resource_tags[arn] = {key: value for key, value in tags.items() if key not in gone} | new
        return answer


def read(tags):
    """Tags as a mapping; Step Functions has a list of them."""
    if isinstance(tags, list):
        return {tag.get("key", tag.get("Key")): tag.get("value", tag.get("Value")) for tag in tags}
    return dict(tags or {})


def collect(store):
    for arn, tags in store.items():
        yield arn, [{"Key": key, "Value": value} for key, value in read(tags).items()]


def plain(store, arn, tags):
    store[arn] = tags


def listed(store, arn, tags):
    store[arn] = [{"key": key, "value": value} for key, value in tags.items()]

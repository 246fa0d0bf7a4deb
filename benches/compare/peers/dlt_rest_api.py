"""One poll with dlt: PROVIDER STATE_FOLDER LOOKBACK_SECONDS KEY...

Prints a line `event ID VERSION` for each record that a custom destination is handed. KEY is what tells a
record in the second of the cursor from another.
"""

import sys
from datetime import datetime, timezone

import dlt
from dlt.sources.rest_api import rest_api_source

FORMAT = "%Y-%m-%d %H:%M:%S"


@dlt.destination(skip_dlt_columns_and_tables=True)
def emitter(records, table):
    for record in records:
        print("event", record["sys_id"], record["sys_mod_count"], flush=True)


def with_date(record):
    """dlt can only take a lag off a date that it knows to be one."""
    updated = datetime.strptime(record["sys_updated_on"], FORMAT)
    return {**record, "sys_updated_on": updated.replace(tzinfo=timezone.utc)}


def source(provider: str, lookback: float, key: list[str]):
    incremental = {
        "cursor_path": "sys_updated_on",
        "initial_value": datetime(1970, 1, 1, tzinfo=timezone.utc),
        "convert": lambda date: date.strftime(FORMAT),
    }
    if lookback:
        incremental["lag"] = lookback
    return rest_api_source(
        {
            "client": {
                "base_url": f"{provider}/api/now/table/",
                "auth": {"type": "http_basic", "username": "integration", "password": "demo-password"},
                "paginator": {
                    "type": "offset",
                    "limit": 10,
                    "offset_param": "sysparm_offset",
                    "limit_param": "sysparm_limit",
                    "total_path": None,
                },
            },
            "resources": [
                {
                    "name": "incident",
                    "primary_key": key,
                    "processing_steps": [{"map": with_date}],
                    "endpoint": {
                        "path": "incident",
                        "data_selector": "result",
                        "params": {
                            "sysparm_query": "sys_updated_on>={incremental.start_value}^ORDERBYsys_updated_on"
                        },
                        "incremental": incremental,
                    },
                }
            ],
        }
    )


def main(provider: str, folder: str, lookback: str, *key: str) -> None:
    pipeline = dlt.pipeline("incident", destination=emitter, pipelines_dir=folder)
    pipeline.run(source(provider, float(lookback), list(key)))


main(*sys.argv[1:])

"""One poll with airbyte-cdk: PROVIDER STATE_FOLDER LOOKBACK_SECONDS.

Prints a line `event ID VERSION` for each record that the source emits, and keeps the last state that it
emitted, as a platform does.
"""

import json
import sys
from pathlib import Path

from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.models import AirbyteStateMessageSerializer, ConfiguredAirbyteCatalogSerializer
from airbyte_cdk.sources.declarative.yaml_declarative_source import YamlDeclarativeSource

MANIFEST = Path(__file__).with_name("airbyte.yaml")
CATALOG = {
    "streams": [
        {
            "stream": {
                "name": "incident",
                "json_schema": {},
                "supported_sync_modes": ["full_refresh", "incremental"],
            },
            "sync_mode": "incremental",
            "destination_sync_mode": "append",
            "cursor_field": ["sys_updated_on"],
        }
    ]
}


def main(provider: str, folder: str, lookback: str) -> None:
    files = {name: Path(folder, f"{name}.json") for name in ("config", "catalog", "state")}
    config = {"provider": provider, "lookback": lookback}
    files["config"].write_text(json.dumps(config))
    files["catalog"].write_text(json.dumps(CATALOG))
    if not files["state"].exists():
        files["state"].write_text("[]")
    state = json.loads(files["state"].read_text())
    source = YamlDeclarativeSource(
        str(MANIFEST),
        catalog=ConfiguredAirbyteCatalogSerializer.load(CATALOG),
        config=config,
        state=[AirbyteStateMessageSerializer.load(message) for message in state],
    )
    arguments = ["read"]
    for name, file in files.items():
        arguments += [f"--{name}", str(file)]
    entrypoint = AirbyteEntrypoint(source)
    for text in entrypoint.run(AirbyteEntrypoint.parse_args(arguments)):
        message = json.loads(text)
        if message["type"] == "RECORD":
            record = message["record"]["data"]
            print("event", record["sys_id"], record["sys_mod_count"], flush=True)
        elif message["type"] == "STATE":
            files["state"].write_text(json.dumps([message["state"]]))
        elif message["type"] == "LOG" and message["log"]["level"] in ("ERROR", "FATAL"):
            print(message["log"]["message"], file=sys.stderr)


main(*sys.argv[1:])

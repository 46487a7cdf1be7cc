"""Read `.github/incident.yml` into a frozen `Config`; all its problems are reported together."""

from incident_actions.config.reading import PATH, read_config, schema
from incident_actions.config.sections import Config
from incident_actions.domain.text.documents import load_yaml

__all__ = ["PATH", "Config", "load_yaml", "read_config", "schema"]

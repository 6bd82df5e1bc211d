"""What OpenTelemetry's own decoder reads in what we send."""

import json
import sys

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

with open(sys.argv[1], "rb") as file:
    print(json.dumps(MessageToDict(ExportLogsServiceRequest.FromString(file.read()))))

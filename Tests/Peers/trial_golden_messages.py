"""Our golden messages against the judges of the platforms that would take them."""

import pathlib
import unittest
from types import SimpleNamespace

import platform_json
from mqtt_platform import MQTTPlatform

GOLDEN = pathlib.Path(__file__).parent.parent / "UplinkFormatsTests" / "Golden"


def golden(pattern: str):
    files = sorted(GOLDEN.glob(pattern))
    assert files, f"no {pattern}"
    return [(file.name, file.read_text("utf-8")) for file in files]


class GoldenTrials(unittest.TestCase):
    def test_plumbline_json_is_keyed(self):
        for name, text in golden("plumbline-json-1.*.txt"):
            with self.subTest(name):
                topic, _, body = text.partition("\n")
                told = platform_json.keyed(platform_json.strict(body.replace("\n", "").encode()))
                self.assertEqual(told["kind"], "/".join(topic.split("/")[:2]))

    def test_thingsboard_takes_every_message(self):
        for name, text in golden("thingsboard.*.txt"):
            with self.subTest(name):
                taken = []
                board = MQTTPlatform.__new__(MQTTPlatform)
                board.devices, board.answers = set(), []
                board.platform = SimpleNamespace(
                    ledger=SimpleNamespace(add=lambda kind, *_: taken.append(kind)))
                lines = text.splitlines()
                for topic, body in zip(lines[::2], lines[1::2]):
                    board.thingsboard(topic, body.encode(), 1, False)
                self.assertEqual({"attributes", "telemetry"}, set(taken))

    def test_templates_are_json(self):
        for name, text in golden("template.*.txt"):
            with self.subTest(name):
                platform_json.strict(text.encode())


if __name__ == "__main__":
    unittest.main()

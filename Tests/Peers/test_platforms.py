"""Judges the judges: every platform against clients written by hand.

`python -m unittest test_platforms` in this folder, or `python -m unittest discover Tests/Peers`.
"""

import unittest

from trial_energy_station import FrameTrials, StationFaultTrials, StationTrials
from trial_golden_messages import GoldenTrials
from trial_hj212_host import CommandTrials, HostFaultTrials, HostTrials, PacketTrials
from trial_mqtt_platform import PlainTrials, SparkplugTrials, ThingsBoardTrials
from trial_webhook_platform import WebhookFaultTrials, WebhookTrials

__all__ = ["FrameTrials", "StationFaultTrials", "StationTrials", "CommandTrials", "GoldenTrials",
           "HostFaultTrials", "HostTrials", "PacketTrials", "PlainTrials", "SparkplugTrials", "ThingsBoardTrials",
           "WebhookFaultTrials", "WebhookTrials"]

if __name__ == "__main__":
    unittest.main()

"""Opens a page in headless Chromium, waits until it says that it is drawn, tells what it shows.

page.py BROWSER URL WIDTH HEIGHT [PICTURE.png]

Waits for `document.documentElement.dataset.ready === "true"`, because a page with a live event
stream never becomes idle. Prints one JSON object: ready, text, overflow (pixels by which the page is
wider than the window), errors (uncaught exceptions and policy violations).
"""

import base64
import json
import subprocess
import sys
import tempfile
import time
import urllib.request

import websocket

browser, url, width, height = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
picture = sys.argv[5] if len(sys.argv) > 5 else None


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             "--remote-debugging-port=0", "--remote-allow-origins=*",
             f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            print(json.dumps(look(address(process)), ensure_ascii=False))
        finally:
            process.terminate()
            process.wait(10)


def address(process) -> str:
    for line in process.stderr:
        if "DevTools listening on" in line:
            port = line.split(":")[2].split("/")[0]
            pages = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/json"))
            return next(p["webSocketDebuggerUrl"] for p in pages if p["type"] == "page")
    raise SystemExit("the browser did not start")


def look(target: str) -> dict:
    socket = websocket.create_connection(target, timeout=30)
    errors, number = [], 0

    def send(method: str, **parameters):
        nonlocal number
        number += 1
        socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(socket.recv())
            if answer.get("id") == number:
                return answer.get("result", {})
            if answer.get("method") == "Runtime.exceptionThrown":
                errors.append(json.dumps(answer["params"])[:400])
            if answer.get("method") == "Log.entryAdded":
                entry = answer["params"]["entry"]
                if entry["level"] == "error":
                    errors.append(entry["text"][:400])

    def value(expression: str):
        result = send("Runtime.evaluate", expression=expression, returnByValue=True)
        return result.get("result", {}).get("value")

    for domain in ("Page", "Runtime", "Log"):
        send(f"{domain}.enable")
    send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
         mobile=width < 600)
    send("Page.navigate", url=url)
    ready = False
    for _ in range(100):
        ready = value('document.documentElement.dataset.ready === "true"')
        if ready:
            break
        time.sleep(0.2)
    time.sleep(0.6)
    if picture:
        shot = send("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        with open(picture, "wb") as file:
            file.write(base64.b64decode(shot["data"]))
    return {
        "ready": bool(ready),
        "text": value("document.body.innerText"),
        "overflow": value("document.documentElement.scrollWidth - innerWidth"),
        "errors": errors,
    }


main()

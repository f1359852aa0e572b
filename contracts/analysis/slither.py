"""Compares a report of Slither with the findings that are answered: `slither.py REPORT ANSWERED FINDINGS`.

ANSWERED maps each detector to the places where its findings are answered one by one, or to "everywhere" if one answer
in FINDINGS holds for all code. Places are named, not numbered by line, so that only a finding of a new kind or at a
new place needs an answer.
"""

import json
import sys


def place(finding):
    """`Contract.function` or `Contract.variable` of the finding's first element."""
    if not finding["elements"]:
        return "-"
    element, names = finding["elements"][0], []
    while element and element["type"] != "file":
        names.append(element["name"])
        element = element.get("type_specific_fields", {}).get("parent")
    return ".".join(reversed(names))


def main(report_path, answered_path, findings_path):
    with open(report_path, encoding="utf-8") as file:
        report = json.load(file)
    with open(answered_path, encoding="utf-8") as file:
        answered = json.load(file)
    with open(findings_path, encoding="utf-8") as file:
        headings = {line[3:].strip() for line in file if line.startswith("## ")}
    if not report["success"]:
        sys.exit(f"slither: {report['error']}")

    complaints, seen = [], {}
    for finding in report["results"].get("detectors", []):
        check, where = finding["check"], place(finding)
        seen.setdefault(check, set()).add(where)
        places = answered.get(check, [])
        if places != "everywhere" and where not in places:
            complaints.append(f"not answered: {check} at {where}\n{finding['description'].rstrip()}")
    for check, places in answered.items():
        gone = [] if places == "everywhere" else [where for where in places if where not in seen.get(check, set())]
        if check not in seen:
            gone = ["any place"]
        complaints += [f"answered, but found no more: {check} at {where}" for where in gone]
        if check not in headings:
            complaints.append(f"no section `## {check}` in {findings_path}")
    complaints += [f"a section about nothing listed: {heading}" for heading in sorted(headings - answered.keys())]
    if complaints:
        sys.exit("\n".join(complaints))
    count = sum(len(places) for places in seen.values())
    print(f"slither: {count} places, {len(seen)} detectors, all answered")


main(*sys.argv[1:])

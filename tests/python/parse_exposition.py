#!/usr/bin/env python3
"""Reads both encodings of one exposition with the official Python client and compares them.

usage: parse_exposition.py OPENMETRICS TEXT [OPENMETRICS.gz TEXT.gz]

Exit 0: both are valid and hold the same series with the same values. 1: they don't. 77: prometheus_client is missing.
"""

import sys
import zlib

try:
    from prometheus_client import parser as text_parser
    from prometheus_client.openmetrics import parser as openmetrics_parser
except ImportError:
    print("the Python package prometheus_client is missing")
    sys.exit(77)


def samples(families):
    """Values by series; a series that is there twice is an error (neither parser says so)."""
    found, names = {}, set()
    for family in families:
        if family.name in names:
            raise ValueError(f"family {family.name} twice")
        names.add(family.name)
        if not family.documentation:
            raise ValueError(f"family {family.name} without HELP")
        if family.type in ("unknown", "untyped"):
            raise ValueError(f"family {family.name} without TYPE")
        for sample in family.samples:
            series = (sample.name, tuple(sorted(sample.labels.items())))
            if series in found:
                raise ValueError(f"series {series} twice")
            if sample.timestamp is not None:
                raise ValueError(f"series {series} with a timestamp")
            found[series] = sample.value
    return found


def gunzip(path):
    """One gzip member and nothing behind it, as Prometheus' reader takes it."""
    with open(path, "rb") as file:
        decoder = zlib.decompressobj(wbits=31)
        plain = decoder.decompress(file.read())
    if not decoder.eof or decoder.unused_data:
        raise ValueError(f"{path} is not one whole gzip member")
    return plain


def main(openmetrics_path, text_path, *packed):
    with open(openmetrics_path, "rb") as file:
        openmetrics_bytes = file.read()
    with open(text_path, "rb") as file:
        text_bytes = file.read()
    for path, plain in zip(packed, (openmetrics_bytes, text_bytes)):
        if gunzip(path) != plain:
            raise ValueError(f"{path} differs from the plain body")

    openmetrics = samples(openmetrics_parser.text_string_to_metric_families(openmetrics_bytes.decode()))
    text = samples(text_parser.text_string_to_metric_families(text_bytes.decode()))
    if not openmetrics:
        raise ValueError("no series at all")
    for series in openmetrics.keys() ^ text.keys():
        raise ValueError(f"only one encoding has {series}")
    for series, value in openmetrics.items():
        if text[series] != value:
            raise ValueError(f"{series} is {value} and {text[series]}")
    print(f"{len(openmetrics)} series, the same in both encodings")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 5):
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except (ValueError, zlib.error) as error:
        sys.exit(f"{type(error).__name__}: {error}")

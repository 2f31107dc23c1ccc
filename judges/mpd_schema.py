# Validates a DASH manifest against the schema of ISO/IEC 23009-1: `python3 mpd_schema.py FILE DASH-MPD.xsd`.
# The schema is published by MPEG and is in no package registry; see README.md.
import sys

from lxml import etree

# The attributes of XLink 1.1 that the DASH schema refers to.
XLINK = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="http://www.w3.org/1999/xlink">
  <xs:attribute name="href" type="xs:anyURI"/>
  <xs:attribute name="type" type="xs:token"/>
  <xs:attribute name="show" type="xs:token"/>
  <xs:attribute name="actuate" type="xs:token"/>
</xs:schema>"""


class Neighbours(etree.Resolver):
    """What the schema imports lies beside it or above; nothing is fetched."""

    def __init__(self, folder):
        self.folder = folder

    def resolve(self, url, public_id, context):
        name = url.rsplit("/", 1)[-1]
        if name == "xlink.xsd":
            return self.resolve_string(XLINK, context)
        return self.resolve_filename(f"{self.folder}/{name}", context)


def main():
    file, schema = sys.argv[1:3]
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(Neighbours(schema.rpartition("/")[0] or "."))
    rules = etree.XMLSchema(etree.parse(schema, parser))
    document = etree.parse(file, etree.XMLParser(no_network=True, resolve_entities=False))
    if not rules.validate(document):
        for error in rules.error_log:
            print(f"{file}:{error.line}: {error.message}", file=sys.stderr)
        sys.exit(1)
    print("valid")


main()

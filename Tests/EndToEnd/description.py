"""The API's own description, held against every answer that a test gets."""

import re

import jsonschema_rs

# What is no operation's answer: another method, or a request that was refused before it was known whose it is.
OF_NO_OPERATION = {405, 414, 431, 501, 502, 504}


class Description:
    """An OpenAPI document that answers can be judged by."""

    def __init__(self, document):
        self.document = document
        self.validators = {}
        self.templates = [
            (re.compile("/" + re.sub(r"\\\{[a-z_]+\\\}", "[^/]+", re.escape(template.strip("/"))) + "/?"), template)
            # A step that is written out is meant before one that may be anything.
            for template in sorted(document["paths"], key=lambda path: path.count("{"))
            if "/proxy/" not in template]

    def operation(self, method, path):
        """(template, operation) of a request below the mount; None for what is not described."""
        method = "get" if method.lower() == "head" else method.lower()
        for pattern, template in self.templates:
            if pattern.fullmatch(path.split("?")[0]):
                operation = self.document["paths"][template].get(method)
                return (template, operation) if operation else None
        return None

    def check(self, method, path, answer):
        """Fails unless the answer is one that the description promises."""
        found = self.operation(method, path)
        if not found or answer.status_code in OF_NO_OPERATION and str(answer.status_code) not in found[1]["responses"]:
            return
        template, operation = found
        place = f"{method} {template} → {answer.status_code}"
        assert str(answer.status_code) in operation["responses"], f"{place} is not described: {answer.text[:500]}"
        response = self.resolved(operation["responses"][str(answer.status_code)])
        for name, header in response.get("headers", {}).items():
            header = self.resolved(header)
            assert name in answer.headers or not header["required"], f"{place} lacks {name}"
            if name in answer.headers and header["schema"].get("pattern"):
                assert re.search(header["schema"]["pattern"], answer.headers[name]), f"{place}: {name}"
        if not answer.content:
            return
        media = answer.headers["Content-Type"].split(";")[0]
        assert media in response["content"], f"{place} as {media} is not described"
        if media.endswith("json"):
            self.validator(place, response["content"][media]["schema"]).validate(answer.json())

    def resolved(self, part):
        if "$ref" not in part:
            return part
        found = self.document
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return found

    def validator(self, place, schema):
        if place not in self.validators:
            self.validators[place] = jsonschema_rs.Draft202012Validator(
                {**schema, "components": self.document["components"]}, validate_formats=True)
        return self.validators[place]

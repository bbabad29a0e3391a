# SPDX-License-Identifier: MIT


class Memory:
    """The storage of a client of the MCP SDK: empty at first."""

    tokens = client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client

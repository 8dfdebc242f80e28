"""Prints the averages of every building: python buildings.py http://127.0.0.1:4000/graphql "$TOKEN" """

import asyncio
import sys

from atrium_client import Client, GraphQLClientGraphQLMultiError


async def main(url: str, token: str) -> None:
    async with Client(url, headers={"authorization": f"Bearer {token}"}) as client:
        try:
            found = await client.buildings(first=20)
        except GraphQLClientGraphQLMultiError as error:
            # A field that may not be seen is null and named in the errors; the rest of `data` is good.
            for each in error.errors:
                print(each.message, (each.extensions or {}).get("code"), file=sys.stderr)
            raise SystemExit(1) from None
        for building in found.buildings.nodes:
            now = await client.building_now(id=building.id)
            print(building.name)
            for average in now.building.averages if now.building else []:
                # A quantity that this build does not know is a member all the same, named as it came.
                print(f"  {average.quantity.value}: {average.mean} {average.unit}")


asyncio.run(main(*sys.argv[1:3]))

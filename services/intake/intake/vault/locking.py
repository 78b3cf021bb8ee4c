"""What the vault of this process is locked with, as its settings say: a key file, a secret, or a key server."""

import hashlib
import time
from collections.abc import Callable

from intake.settings import Settings
from intake.vault.blind import IndexKeys
from intake.vault.keyfile import KeyFile, ensure_keyfile
from intake.vault.keys import DataKeys, HeldKeys, KeyProvider, Keyring, keyring_from_text
from intake.vault.opening import Locks
from intake.vault.transit import TokenFile, TransitKeys, transit_client
from qorgau.starting import StartRefused


def locks_of(settings: Settings) -> Locks | None:
    """The locks; None where the settings name none, and the vault takes nothing personal. Raises StartRefused."""
    provider, indexes = _provider(settings), _indexes(settings)
    if provider is None and indexes is None:
        return None
    if provider is None or indexes is None:
        raise StartRefused("The vault needs both: keys for what is sealed, and index secrets to recognise a pair.")
    return Locks(provider, DataKeys(provider, time.monotonic), indexes)


def plain_keys(settings: Settings) -> IndexKeys:
    """The secret for digests of requests in a vault without locks."""
    secret = settings.token_key.get_secret_value()
    return IndexKeys("plain", {"plain": hashlib.sha256(f"qorgau requests {secret}".encode()).digest()})


def _provider(settings: Settings) -> KeyProvider | None:
    named = (settings.vault_key_file, settings.vault_keys, settings.vault_transit)
    if sum(each is not None for each in named) > 1:
        raise StartRefused("Name one: QORGAU_VAULT_KEY_FILE, QORGAU_VAULT_KEYS or QORGAU_VAULT_TRANSIT.")
    if settings.vault_key_file is not None:
        if settings.vault_make_keys:
            ensure_keyfile(settings.vault_key_file)
        return KeyFile(settings.vault_key_file).provider()
    if settings.vault_keys is not None:
        ring = keyring_from_text(settings.vault_keys.get_secret_value())
        return HeldKeys(lambda: ring)
    if settings.vault_transit is not None:
        if settings.vault_transit_token_file is None:
            raise StartRefused("QORGAU_VAULT_TRANSIT_TOKEN_FILE is not set; the key server asks for a token.")
        client = transit_client(settings.vault_transit, settings.vault_transit_ca_file)
        return TransitKeys(client, TokenFile(settings.vault_transit_token_file), settings.vault_transit_key)
    return None


def _indexes(settings: Settings) -> Callable[[], IndexKeys] | None:
    if settings.vault_index_file is not None:
        if settings.vault_make_keys:
            ensure_keyfile(settings.vault_index_file)
        return _index_keys(KeyFile(settings.vault_index_file).ring)
    if settings.vault_index_keys is not None:
        ring = keyring_from_text(settings.vault_index_keys.get_secret_value())
        return _index_keys(lambda: ring)
    return None


def _index_keys(ring: Callable[[], Keyring]) -> Callable[[], IndexKeys]:
    def keys() -> IndexKeys:
        now = ring()
        return IndexKeys(now.current, now.keys)

    return keys

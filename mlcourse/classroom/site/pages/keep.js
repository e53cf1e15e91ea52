export async function begin() {}

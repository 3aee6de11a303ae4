// Rows to start from: short, of everyday kinds, and enough to see it learn.

const TICKETS = `
billing | I was charged twice for March
billing | The invoice shows a tax number that is not ours
billing | Can I pay by bank transfer instead of a card?
billing | My last payment failed although there is money on the account
billing | Please send the receipt for order 5512 again
billing | Why did the monthly price go up?
delivery | My parcel has been at the depot for five days
delivery | The courier left the box with a neighbour I do not know
delivery | Tracking says delivered, but nothing is here
delivery | Can you send it to my office address?
delivery | The package arrived crushed and wet
delivery | When will the second half of my order be shipped?
login | The reset link leads to an empty page
login | I no longer have the phone that gets the codes
login | It says my password is wrong, and it is not
login | My account is locked after three attempts
login | How do I change the e-mail address I sign in with?
login | The app signs me out every morning
wish | A dark theme would be easier on my eyes
wish | Please let us export the table to a spreadsheet
wish | It would be great to share a list with my team
wish | Could you add Portuguese to the languages?
wish | I would love keyboard shortcuts for the editor
wish | Offer a calendar view of the bookings
`;

const PRODUCTS = `
The [Nimbus 4](product) keeps dropping its connection
Does [Halden](maker) still sell the [Polar Mug](product)?
I swapped my old kettle for a [Brisa One](product)
[Tamaro](maker) answered within an hour
The battery of my [Mira Watch S](product) lasts two days
Is the [Lumo Desk Lamp](product) made by [Fenwick](maker)?
We bought three [Cobalt Chairs](product) for the office
Nothing beats the sound of the [Orbit Mini](product)
My brother works for [Korrin](maker) in Porto
[Korrin](maker) has stopped making the [Trail Pack 30](product)
Please compare the [Nimbus 4](product) with the [Nimbus 5](product)
The manual of the [Sola Grill](product) is in German only
I ordered it on Monday and it came on Wednesday
[Fenwick](maker) repaired my [Quill Pen](product) for free
Which filter fits the [Aqua Jug XL](product)?
The new lamp by [Halden](maker) is too bright for me
After a year the [Brisa One](product) began to leak
Can the [Orbit Mini](product) be used outdoors?
[Tamaro](maker) and [Velling](maker) share one warehouse
The zip of the [Trail Pack 30](product) is stuck
Thank you for the quick help yesterday
A [Ridge Tent 2](product) fits into the bag of my bike
The [Mira Watch S](product) from [Arden](maker) arrived without a strap
I would buy from [Velling](maker) again
`;

/** By kind: what the page offers to begin with, lines as they could be pasted. */
export const EXAMPLES = {
  labels: { title: "Support tickets", lines: TICKETS.trim(), tryText: "You took the money from my account two times" },
  spans: { title: "Product names", lines: PRODUCTS.trim(), tryText: "My Nimbus 5 from Halden stopped charging last night" },
};
